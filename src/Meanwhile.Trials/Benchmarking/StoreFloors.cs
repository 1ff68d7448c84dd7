namespace Meanwhile.Trials.Benchmarking;

/// <summary>What nobody who keeps rows in a file can be faster than, round by round: bare SQLite, and the disk alone. Nothing where the store is a server.</summary>
internal sealed class StoreFloors(BenchEnvironment environment)
{
    /// <summary>For the notes of a report.</summary>
    public const string Note = "bare SQLite and the disk commit as many rows at a time as the program did, the disk by fdatasync alone; with several topics as many as can be in flight";

    private const int Syncs = 21;

    private readonly List<double> _table = [];
    private readonly List<double> _disk = [];

    /// <summary>Their names and rates.</summary>
    public IEnumerable<(string Name, IReadOnlyList<double> Rates)> Rates => environment.Options.HasFile ? [("bare SQLite", _table), ("the disk", _disk)] : [];

    /// <summary>Measures a round, after the program's own.</summary>
    public async Task MeasureAsync(LoadOptions load, RoundResult program, CancellationToken stop)
    {
        if (!environment.Options.HasFile)
            return;
        var batch = double.IsNaN(program.Batch) ? load.Publishers * load.InFlight : Math.Max(1, (int)program.Batch);
        _table.Add(await Task.Run(() => TableRate(batch, stop), stop));
        _disk.Add(await Task.Run(() => DiskRate(batch), stop));
    }

    public IEnumerable<Row> Report(long? size) => Rates.Select(floor => new Row(floor.Name, RowKind.Floor, size, [new Figure(Rows.Rate, Rows.Rate, floor.Rates)]));

    private double TableRate(int batch, CancellationToken stop)
    {
        var file = Path.Combine(environment.DiskFolder, $"bare-{Guid.NewGuid():n}.db");
        try
        {
            using var table = new BareTable(file);
            var start = environment.Time.GetTimestamp();
            var rows = table.Insert(batch, () => stop.IsCancellationRequested || environment.Time.GetElapsedTime(start) >= environment.Options.Duration);
            return rows / environment.Time.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            foreach (var suffix in new[] { "", "-wal", "-shm" })
                File.Delete(file + suffix);
        }
    }

    private double DiskRate(int batch)
    {
        using var disk = new Disk(Path.Combine(environment.DiskFolder, $"sync-{Guid.NewGuid():n}"), environment.Time);
        return batch / disk.Median(batch, Syncs).TotalSeconds;
    }
}
