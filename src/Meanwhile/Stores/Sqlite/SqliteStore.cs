namespace Meanwhile.Stores.Sqlite;

/// <summary>Readings, quarantine and the feed's sessions in one SQLite file.</summary>
internal sealed class SqliteStore : IStore
{
    private static readonly FileOwner Aggregator = new("aggregator", "stop that one for a moment, the broker keeps what comes in meanwhile; or use a --db of its own");

    private readonly Database _database;
    private readonly FileLock _lock;
    private readonly ReadingsTable _readings;
    private readonly QuarantineTable _quarantine;
    private readonly FeedSessionTable _feedSessions;
    private readonly FreeSpace _freeSpace;
    private readonly List<int> _known = [];

    private SqliteStore(Database database, FileLock fileLock, StoreOptions options)
    {
        (_database, _lock) = (database, fileLock);
        _readings = new ReadingsTable(database, options.UnnamedSeries);
        _quarantine = new QuarantineTable(database, options);
        _feedSessions = new FeedSessionTable(database, options);
        _freeSpace = new FreeSpace(database);
        database.Transact(this, static store => store._readings.TakeInForeignRows());
    }

    /// <summary>Opens a file, or makes it with its folders, and keeps other owners away from it.</summary>
    /// <exception cref="StoreException">It cannot be used, or not yet.</exception>
    /// <exception cref="UserException">It has another owner, or its folder cannot be used.</exception>
    public static SqliteStore Open(string path, StoreOptions options) => OwnedFile.Open(path, Aggregator, (database, fileLock) =>
    {
        SqliteSchema.Prepare(database, path);
        return new SqliteStore(database, fileLock, options);
    });

    /// <inheritdoc/>
    public ValueTask<CommitReport> CommitAsync(Batch batch, Cutoff cutoff, CancellationToken cancellationToken)
    {
        try
        {
            _known.Clear();
            var dropped = _database.Transact((Store: this, batch, cutoff), static work => work.Store.Write(work.batch, work.cutoff));
            _database.CheckStillThere();
            _readings.Committed();
            TakeOutKnown(batch.Readings);
            return new(new CommitReport(_known.Count, dropped));
        }
        catch
        {
            _readings.RolledBack();
            _quarantine.RolledBack();
            throw;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<Reading> ReadReadings(long from, long to) => _readings.Read(from, to);

    /// <inheritdoc/>
    public IEnumerable<LeftOut> FindLeftOut() => _readings.FindLeftOut();

    /// <inheritdoc/>
    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) => _quarantine.Read(newestFirst);

    /// <inheritdoc/>
    public SessionState ReadSession() => _feedSessions.Read();

    /// <inheritdoc/>
    public void Dispose()
    {
        _database.Dispose();
        _lock.Dispose();
    }

    private int Write(Batch batch, Cutoff cutoff)
    {
        _readings.Expire(cutoff.Readings); // First: what is new takes the pages of what goes, and half as many are written.
        _readings.Insert(batch.Readings, _known);
        _readings.PruneSeries(cutoff.Readings);
        _feedSessions.Change(batch);
        var dropped = _quarantine.Change(batch, cutoff.Quarantined);
        _freeSpace.GiveBack();
        return dropped;
    }

    private void TakeOutKnown(List<Reading> readings)
    {
        if (_known.Count == 0)
            return;
        var (kept, next) = (_known[0], 0);
        for (var i = kept; i < readings.Count; i++)
        {
            if (next < _known.Count && _known[next] == i)
                next++;
            else
                readings[kept++] = readings[i];
        }
        readings.RemoveRange(kept, readings.Count - kept);
    }
}
