using Meanwhile.Stores;

namespace Meanwhile.Tests.Support;

/// <summary>Counts the transactions in which another store commits readings.</summary>
internal sealed class CountingStore(IStore store) : IStore
{
    public int Commits { get; private set; }

    public ValueTask<CommitReport> CommitAsync(Batch batch, Cutoff cutoff, CancellationToken cancellationToken)
    {
        Commits += batch.Readings.Count > 0 ? 1 : 0;
        return store.CommitAsync(batch, cutoff, cancellationToken);
    }

    public IEnumerable<Reading> ReadReadings(long from, long to) => store.ReadReadings(from, to);

    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) => store.ReadQuarantine(newestFirst);

    public SessionState ReadSession() => store.ReadSession();

    public void Dispose() => store.Dispose();
}
