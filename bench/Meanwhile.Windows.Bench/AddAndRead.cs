using BenchmarkDotNet.Attributes;

namespace Meanwhile.Windows.Bench;

/// <summary>A reading added and three means read, with so many readings in the longest window.</summary>
[ShortRunJob]
public class AddAndRead
{
    private const int Batch = 10_000;
    private static readonly WindowLayout Layout = WindowLayout.Default;
    private SlidingSeries _series = null!;
    private Readings _readings = null!;
    private long _newest;

    [Params(1_000, 100_000, 10_000_000)]
    public int InWindow { get; set; }

    [Params("seconds, in order", "milliseconds, 10% late")]
    public string Times { get; set; } = "";

    [GlobalSetup]
    public void Fill()
    {
        var late = Times.Contains("late", StringComparison.Ordinal);
        _readings = new Readings(InWindow / 1800.0, late ? 1 : 1000, late ? 10 : 0);
        _series = new SlidingSeries(Layout);
        _newest = 0;
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

    private static Statistic Mean { get; } = Statistic.Of(StatisticKind.Mean);

    private void Add()
    {
        var (time, value) = _readings.Next();
        _series.Add(time, value);
        if (time > _newest)
        {
            _newest = time;
            _series.DropBefore(time - Layout.RetentionMs);
        }
    }
}
