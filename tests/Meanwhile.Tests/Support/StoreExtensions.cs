using Meanwhile.Stores;

namespace Meanwhile.Tests.Support;

/// <summary>Shorter ways of calling a store.</summary>
internal static class StoreExtensions
{
    /// <summary>Commits a batch; what is older than the cutoff goes, the quarantine stays.</summary>
    public static CommitReport Commit(this IStore store, Batch batch, long cutoff = 0) =>
        store.CommitAsync(batch, new Cutoff(cutoff, Quarantined: 0), TestContext.Current.CancellationToken).AsTask().GetAwaiter().GetResult();

    /// <summary>All readings.</summary>
    public static IEnumerable<Reading> ReadAll(this IStore store) => store.ReadReadings(0, long.MaxValue);

    /// <summary>The QoS 2 identifiers of a client's session, in order; without a client, of our own.</summary>
    public static IEnumerable<int> ReceivedIds(this IStore store, string client = "") =>
        store.ReadSession().ReceivedIds.GetValueOrDefault(client, []).Select(id => (int)id).Order();

    /// <summary>A batch of readings.</summary>
    public static Batch Batch(params IEnumerable<Reading> readings)
    {
        var batch = new Batch();
        batch.Readings.AddRange(readings);
        return batch;
    }
}
