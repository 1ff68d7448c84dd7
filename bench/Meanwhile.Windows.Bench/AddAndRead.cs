using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace Meanwhile.Windows.Bench;

/// <summary>A reading added and three means read, with so many readings in the longest window.</summary>
[SimpleJob(RunStrategy.Throughput, launchCount: 1, warmupCount: 3, iterationCount: 7, invocationCount: 16)]
public class AddAndRead
{
    private const int Batch = 10_000;
    private static readonly WindowLayout Layout = WindowLayout.Default;
    private static readonly Statistic Mean = Statistic.Of(StatisticKind.Mean);
    private SlidingSeries _series = null!;
    private Readings _readings = null!;
    private long _newest;

    [Params(1_000, 100_000, 10_000_000)]
    public int InWindow { get; set; }

    [Params(false, true)]
    public bool MillisecondsAndLate { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _readings = MillisecondsAndLate ? new Readings(InWindow / 1800.0, 1, 10) : new Readings(InWindow / 1800.0, 1000, 0);
        _series = new SlidingSeries(Layout);
        // The retention is a little longer than the window, and all of it is to be full.
        for (var i = 0; i < InWindow * 1.25; i++)
            Add();
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public double Windows()
    {
        var sum = 0.0;
        for (var i = 0; i < Batch; i++)
        {
            Add();
            foreach (var window in Layout.WindowsMs)
                sum += _series.Query(_newest - window, _newest).Value(Mean) ?? 0;
        }
        return sum;
    }

    private void Add()
    {
        var (time, value) = _readings.Next();
        _series.Add(time, value);
        if (time <= _newest)
            return;
        _newest = time;
        _series.DropBefore(time - Layout.RetentionMs);
    }
}
