using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace Meanwhile.Windows.Bench;

/// <summary>What each statistic costs: a reading added and the statistic read over 1, 5 and 30 minutes, at whole seconds and in order.</summary>
[SimpleJob(RunStrategy.Throughput, launchCount: 1, warmupCount: 3, iterationCount: 5)]
[IterationTime(100)]
[MedianColumn]
[MinColumn]
public class EachStatistic
{
    private const int Batch = 2_000;
    private WindowLayout _layout = null!;
    private SlidingSeries _series = null!;
    private Readings _readings = null!;

    [Params(1_000, 100_000)]
    public int InWindow { get; set; }

    [Params("mean", "min", "last", "stddev", "twa", "ewma", "p95")]
    public string Name { get; set; } = "";

    [GlobalSetup]
    public void Fill()
    {
        _layout = new WindowLayout(WindowLayout.Default.RetentionMs, WindowLayout.Default.WindowsMs, [Statistic.Parse(Name)]);
        _series = new SlidingSeries(_layout);
        _readings = new Readings(InWindow, 1000, 0);
        for (var i = 0; i < InWindow * 1.25; i++)
            Add();
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public double AddAndReadIt()
    {
        var sum = 0.0;
        for (var i = 0; i < Batch; i++)
        {
            var now = Add();
            foreach (var window in _layout.WindowsMs)
                sum += _series.Query(now - window, now).Value(_layout.Statistics[0]) ?? 0;
        }
        return sum;
    }

    private long Add()
    {
        var (time, value) = _readings.Next();
        _series.Add(time, value);
        _series.DropBefore(time - _layout.RetentionMs);
        return time;
    }
}
