using System.Runtime.InteropServices;
using Meanwhile.Stores;

namespace Meanwhile.History;

/// <summary>What became of the lines of an import.</summary>
internal sealed record ImportReport
{
    /// <summary>Readings that are in the store now, and were not.</summary>
    public long Imported { get; set; }

    /// <summary>Readings that were there already.</summary>
    public long AlreadyThere { get; set; }

    /// <summary>Readings older than the retention: the aggregator would delete them at once.</summary>
    public long Expired { get; set; }

    /// <summary>Readings of new series beyond the limit.</summary>
    public long Refused { get; set; }

    /// <summary>Lines that are no readings.</summary>
    public long NotUnderstood { get; set; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"imported {Imported}; already there {AlreadyThere}; older than the retention {Expired}; not understood {NotUnderstood}" + (Refused == 0 ? "" : $"; beyond --max-series {Refused}");
}

/// <summary>
/// Brings readings into a store that are not in it yet. Of readings with the same topic, time and number it ends up with as many as the store or the
/// file had, whichever had more: a file may be imported again, after an interruption for example, and nothing counts twice.
/// </summary>
/// <param name="store">Its owner is this process.</param>
/// <param name="oldest">Where the retention begins; milliseconds since the Unix epoch.</param>
/// <param name="latest">A later reading would drag its series' now away from every honest one.</param>
/// <param name="mostSeries">The most series there may be: the aggregator holds them all in memory.</param>
internal sealed class Import(IStore store, long oldest, long latest, int mostSeries)
{
    private const int LargestBatch = 4096;

    private readonly Dictionary<Reading, int> _there = [];
    private readonly HashSet<string> _series = new(StringComparer.Ordinal);
    private readonly Batch _batch = new();

    /// <summary>What was done so far.</summary>
    public ImportReport Report { get; } = new();

    /// <summary>Imports all readings of a file.</summary>
    /// <param name="format">What it is; null to find out.</param>
    /// <param name="rejected">Called with the number of each line that is no reading, and the reason.</param>
    /// <param name="progress">Told how many bytes were read.</param>
    /// <exception cref="StoreException">What is in the report is in the store, and the rest is not.</exception>
    public async Task RunAsync(RecordReader records, DataFormat? format, Action<long, string> rejected, IProgress<long> progress, CancellationToken stop)
    {
        foreach (var reading in store.ReadReadings(oldest, latest))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_there, reading, out _)++;
            _series.Add(reading.Series);
        }

        var parser = await ReadingsFileParser.BeginAsync(records, format, stop);
        while (await records.NextAsync(stop) is { } line)
        {
            if (line.IsEmpty)
                continue;
            if (parser.TryParse(line, out var reading, out var reason) && reading.Time > latest)
                reason = "its time is too far ahead of the clock (--max-ahead)";
            if (reason is null)
                Add(reading);
            else
                Reject(reason);
            if (_batch.Readings.Count == LargestBatch)
                await CommitAsync(stop);
            progress.Report(records.BytesRead);
        }
        await CommitAsync(stop);

        void Reject(string reason)
        {
            Report.NotUnderstood++;
            rejected(records.Line, reason);
        }
    }

    private void Add(in Reading reading)
    {
        if (reading.Time < oldest)
        {
            Report.Expired++;
        }
        else if (_there.TryGetValue(reading, out var count) && count > 0)
        {
            _there[reading] = count - 1;
            Report.AlreadyThere++;
        }
        else if (_series.Count >= mostSeries && !_series.Contains(reading.Series))
        {
            Report.Refused++;
        }
        else
        {
            _series.Add(reading.Series);
            _batch.Readings.Add(reading);
        }
    }

    private async Task CommitAsync(CancellationToken stop)
    {
        var readings = _batch.Readings.Count;
        await store.CommitAsync(_batch, default, stop); // Deletes nothing: how long readings are kept is the aggregator's affair.
        Report.Imported += readings;
        _batch.Clear();
    }
}
