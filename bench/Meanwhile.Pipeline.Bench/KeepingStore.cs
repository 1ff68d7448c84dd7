using Meanwhile.Stores;

namespace Meanwhile.Pipeline.Bench;

/// <summary>A store whose file keeps readings for a time of its own, so that files differ in their rows while streams and windows are the same.</summary>
/// <param name="store">Has the file.</param>
/// <param name="keeps">Milliseconds.</param>
internal sealed class KeepingStore(IStore store, long keeps) : IStore
{
    private static readonly long Retention = (long)new AggregatorOptions("DATA", "STATS").Retention.TotalMilliseconds;

    public ValueTask<CommitReport> CommitAsync(Batch batch, Cutoff cutoff, CancellationToken cancellationToken) =>
        store.CommitAsync(batch, cutoff with { Readings = cutoff.Readings + Retention - keeps }, cancellationToken);

    public SessionState ReadSession() => store.ReadSession();

    // None: windows are filled by the stream, in each file by as much of it.
    public IEnumerable<Reading> ReadReadings(long from, long to) => [];

    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) => store.ReadQuarantine(newestFirst);

    public void Dispose() => store.Dispose();
}
