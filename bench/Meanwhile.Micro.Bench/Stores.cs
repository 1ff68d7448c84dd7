using BenchmarkDotNet.Attributes;
using Meanwhile.Stores;
using Microsoft.Extensions.Logging.Abstractions;

namespace Meanwhile.Micro.Bench;

/// <summary>What a store takes for a reading in a commit of so many, with retention: one row leaves for each that comes. DB_FILE names another store than a file in the temporary folder.</summary>
[MemoryDiagnoser]
public class Stores
{
    private const int Batches = 10;
    private const int RowsKept = 100_000;
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"meanwhile-micro-{Guid.NewGuid():n}.db");
    private readonly Batch _batch = new();
    private IStore? _store;
    private long _now = 1_700_000_000_000;

    [Params(1, 100, 4096)]
    public int Readings { get; set; }

    [GlobalSetup]
    public async Task PrepareAsync()
    {
        var name = Environment.GetEnvironmentVariable("DB_FILE") ?? _file;
        _store = await Store.OpenAsync(name, new StoreOptions("bench", "DATA"), NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        for (var rows = 0; rows < RowsKept; rows += 4096)
            await CommitAsync(4096);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _store?.Dispose();
        foreach (var suffix in new[] { "", "-wal", "-shm", ".lock" })
            File.Delete(_file + suffix);
    }

    [Benchmark(OperationsPerInvoke = Batches)]
    public async Task CommitBatchesAsync()
    {
        for (var i = 0; i < Batches; i++)
            await CommitAsync(Readings);
    }

    private async Task CommitAsync(int readings)
    {
        _batch.Clear();
        for (var i = 0; i < readings; i++)
            _batch.Readings.Add(new Reading("DATA", ++_now, i % 100));
        await _store!.CommitAsync(_batch, new Cutoff(_now - RowsKept, 0), CancellationToken.None);
    }
}
