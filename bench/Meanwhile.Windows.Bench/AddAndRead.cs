using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace Meanwhile.Windows.Bench;

/// <summary>
/// A reading added and three means read (1, 5 and 30 minutes), with so many readings in the longest window; beside it what the making of a reading costs, and
/// what one mean over the last minute costs otherwise, over the same readings in memory or in a table.
/// </summary>
[SimpleJob(RunStrategy.Throughput, launchCount: 1, warmupCount: 5, iterationCount: 15)]
[IterationTime(100)]
[MedianColumn]
[MinColumn]
#pragma warning disable CA1001 // Disposed of in its clean-up; a sealed or disposable class is no benchmark.
public class AddAndRead
#pragma warning restore CA1001
{
    private const int Batch = 50_000;
    private const int WarmUps = 200;
    private static readonly WindowLayout Layout = WindowLayout.Default;
    private static readonly Statistic Mean = Statistic.Of(StatisticKind.Mean);
    private readonly SlidingSeries _series = new(Layout);
    private readonly List<(long TimeMs, double Value)> _held = [];
    private SqliteReadings? _table;
    private Readings _readings = null!;
    private long _newest;

    [Params(1_000, 100_000, 10_000_000)]
    public int InWindow { get; set; }

    [Params(false, true)]
    public bool MillisecondsAndLate { get; set; }

    [GlobalSetup(Target = nameof(Reading))]
    public void Start() => _readings = MillisecondsAndLate ? new Readings(InWindow, 1, 10) : new Readings(InWindow, 1000, 0);

    [GlobalSetup(Target = nameof(Windows))]
    public void FillWindows()
    {
        Start();
        // The retention is a little longer than the window, and all of it is to be full.
        for (var i = 0; i < InWindow * 1.25; i++)
            Add();
        // The least window is filled long before the runtime has compiled for good what is measured.
        for (var i = 0; i < WarmUps; i++)
            Windows();
    }

    [GlobalSetup(Target = nameof(PlainRecalculation))]
    public void FillMemory()
    {
        Start();
        for (var i = 0; i < InWindow; i++)
            _held.Add(_readings.Next());
        _newest = _held.Max(r => r.TimeMs);
    }

    [GlobalSetup(Target = nameof(Sqlite))]
    public void FillTable()
    {
        FillMemory();
        _table = new SqliteReadings(_held, _newest);
    }

    [GlobalCleanup]
    public void Close() => _table?.Dispose();

    [Benchmark(OperationsPerInvoke = Batch)]
    public long Reading()
    {
        var sum = 0L;
        for (var i = 0; i < Batch; i++)
            sum += _readings.Next().TimeMs;
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Batch, Baseline = true)]
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

    [Benchmark]
    public double PlainRecalculation()
    {
        var (from, sum, count) = (_newest - 60_000, 0.0, 0);
        foreach (var (time, value) in _held)
        {
            if (time >= from)
                (sum, count) = (sum + value, count + 1);
        }
        return sum / count;
    }

    [Benchmark]
    public object? Sqlite() => _table!.MeanOfLastMinute();

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
