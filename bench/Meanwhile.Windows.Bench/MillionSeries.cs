using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace Meanwhile.Windows.Bench;

/// <summary>A million series fed with ten readings each, from the empty table on; the memory they then hold is printed.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 0, iterationCount: 3)]
public class MillionSeries
{
    private const int Series = 1_000_000;
    private const int Each = 10;
    private const long Start = 1_700_000_000_000;
    private SeriesTable<int> _table = null!;
    private int[] _keys = [];
    private long _before;

    [Params(false, true)]
    public bool InRandomOrder { get; set; }

    [IterationSetup]
    public void Clear()
    {
        _keys = [.. Enumerable.Range(0, Series)];
        if (InRandomOrder)
            new Random(1).Shuffle(_keys);
        _table = new SeriesTable<int>(WindowLayout.Default, 0);
        _before = GC.GetTotalMemory(true);
    }

    [Benchmark(OperationsPerInvoke = Series * Each)]
    public int Feed()
    {
        for (var i = 0; i < Each; i++)
        {
            var time = Start + i * 60_000L;
            foreach (var key in _keys)
                _table.Add(key, time, key, time);
        }
        return _table.Count;
    }

    [IterationCleanup]
    public void Weigh() => Console.WriteLine($"// held: {(GC.GetTotalMemory(true) - _before) >> 20} MiB, process: {Environment.WorkingSet >> 20} MiB");
}
