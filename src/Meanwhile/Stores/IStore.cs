namespace Meanwhile.Stores;

/// <summary>Where readings are committed: a SQLite file or a PostgreSQL database. It has one owner, and one caller at a time.</summary>
internal interface IStore : IStoreReader
{
    /// <summary>
    /// Makes a batch durable and deletes what is older than the retention, in one transaction. Readings whose identity is known are taken out of the
    /// batch. After a failure that may heal, the same batch is handed in again before any other: a server may have committed it, and have been lost before
    /// it could say so. It is not committed twice.
    /// </summary>
    /// <param name="batch">What is new.</param>
    /// <param name="cutoff">What is older goes.</param>
    /// <param name="cancellationToken">Gives up waiting; nothing is known then of what was done.</param>
    /// <exception cref="StoreException">Nothing was done, as far as is known.</exception>
    ValueTask<CommitReport> CommitAsync(Batch batch, Cutoff cutoff, CancellationToken cancellationToken);

    /// <summary>What the feed's sessions were when the last process committed.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    SessionState ReadSession();
}

/// <summary>What a commit does not keep; milliseconds since the Unix epoch.</summary>
/// <param name="Readings">Readings before this time go.</param>
/// <param name="Quarantined">Quarantined messages that arrived before this time go.</param>
internal readonly record struct Cutoff(long Readings, long Quarantined);

/// <summary>What a commit did besides.</summary>
/// <param name="Known">Readings that were taken out of the batch, because their identity was known.</param>
/// <param name="Dropped">Messages that left the quarantine, because it is bounded by count, bytes and age.</param>
internal readonly record struct CommitReport(int Known, int Dropped);
