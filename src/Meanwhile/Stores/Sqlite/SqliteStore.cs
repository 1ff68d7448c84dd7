using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Stores.Sqlite;

/// <summary>Readings, quarantine and the feed's session in one SQLite file. One caller at a time.</summary>
internal sealed class SqliteStore : IStore
{
    private readonly Database _database;
    private readonly FileLock _lock;
    private readonly string _session;
    private readonly StoreOptions _options;
    private readonly Dictionary<string, long> _seriesIds = new(StringComparer.Ordinal);
    private readonly Statement _insertReading;
    private readonly Statement _insertQuarantined;
    private readonly Statement _findSeries;
    private readonly Statement _insertSeries;
    private readonly Statement _expire;
    private readonly Statement _addId;
    private readonly Statement _removeId;
    private readonly Statement _removeIds;
    private readonly Statement _subscribed;
    private readonly Statement _unsubscribed;

    private SqliteStore(Database database, FileLock fileLock, StoreOptions options)
    {
        (_database, _lock, _options, _session) = (database, fileLock, options, options.Session);
        _insertReading = database.Prepare("INSERT INTO messages (number, epochtime, series) VALUES (?, ?, ?)");
        _insertQuarantined = database.Prepare("INSERT INTO quarantine (arrived, topic, payload, reason) VALUES (?, ?, ?, ?)");
        _findSeries = database.Prepare("SELECT id FROM series WHERE topic = ?");
        _insertSeries = database.Prepare("INSERT INTO series (topic) VALUES (?)");
        _expire = database.Prepare("DELETE FROM messages WHERE epochtime < ?");
        _addId = database.Prepare("INSERT OR IGNORE INTO received_ids (session, packet_id) VALUES (?, ?)");
        _removeId = database.Prepare("DELETE FROM received_ids WHERE session = ? AND packet_id = ?");
        _removeIds = database.Prepare("DELETE FROM received_ids WHERE session = ?");
        _unsubscribed = database.Prepare("DELETE FROM sessions WHERE name = ?");
        _subscribed = database.Prepare("INSERT INTO sessions (name, subscription) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET subscription = excluded.subscription");
    }

    /// <summary>Opens a file, or makes it with its folders, and keeps other aggregators away from it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What it has to know of its owner.</param>
    public static SqliteStore Open(string path, StoreOptions options)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: its folder cannot be made ({e.Message}): expected a path in a folder that can be written to", inner: e);
        }
        var fileLock = FileLock.Take(path);
        Database? database = null;
        try
        {
            database = new Database(path);
            Schema.Prepare(database, path);
            return new SqliteStore(database, fileLock, options);
        }
        catch
        {
            database?.Dispose();
            fileLock.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<CommitReport> CommitAsync(Batch batch, Cutoff cutoff, CancellationToken cancellationToken)
    {
        try
        {
            _database.Transact(() => Write(batch, cutoff.Readings));
            return default;
        }
        catch
        {
            _seriesIds.Clear(); // Some may have been given out by the transaction that is gone.
            throw;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<Reading> ReadReadings(long from, long to)
    {
        var query = _database.Prepare(
            "SELECT number, epochtime, topic FROM messages LEFT JOIN series ON series.id = messages.series WHERE epochtime >= ? AND epochtime <= ? ORDER BY messages.rowid");
        query.Bind(1, Seconds(from)).Bind(2, Seconds(Math.Min(to, 99_999_999_999_000)));
        while (query.Step())
        {
            // Another program may have left texts or nothing at all where numbers belong.
            if (query.IsNumber(0) && query.IsNumber(1) && double.IsFinite(query.Double(0)))
                yield return new Reading(query.IsNull(2) ? _options.UnnamedSeries : query.Text(2), Milliseconds(query), query.Double(0));
        }
    }

    /// <inheritdoc/>
    public IEnumerable<QuarantinedMessage> ReadQuarantine() => [];

    /// <inheritdoc/>
    public SessionState ReadSession()
    {
        List<ushort> ids = [];
        var query = _database.Prepare("SELECT packet_id FROM received_ids WHERE session = ?").Bind(1, _session);
        while (query.Step())
            ids.Add((ushort)query.Integer(0));

        query = _database.Prepare("SELECT subscription FROM sessions WHERE name = ?").Bind(1, _session);
        string? subscription = null;
        while (query.Step())
            subscription = query.Text(0);
        return new SessionState(ids, subscription);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _database.Dispose();
        _lock.Dispose();
    }

    public static double Seconds(long milliseconds) => milliseconds / 1000.0;

    public static long Milliseconds(Statement row) => row.IsInteger(1) ? row.Integer(1) * 1000 : (long)Math.Round(row.Double(1) * 1000);

    private void Write(Batch batch, long cutoff)
    {
        foreach (var (series, time, value) in batch.Readings)
        {
            _insertReading.Bind(1, value).Bind(3, SeriesId(series));
            (time % 1000 == 0 ? _insertReading.Bind(2, time / 1000) : _insertReading.Bind(2, Seconds(time))).Run();
        }
        foreach (var (arrived, topic, payload, reason) in batch.Quarantined)
            _insertQuarantined.Bind(1, Seconds(arrived)).Bind(2, topic).Bind(3, payload.Span).Bind(4, reason).Run();
        foreach (var change in batch.IdChanges)
            Write(change);
        if (batch.Subscription is { } filter)
            _subscribed.Bind(1, _session).Bind(2, filter).Run();
        _expire.Bind(1, Seconds(cutoff)).Run();
    }

    private void Write(IdChange change)
    {
        if (change.Kind == IdChangeKind.AllForgotten)
            _unsubscribed.Bind(1, _session).Run(); // The broker has forgotten that as well.
        var statement = change.Kind switch
        {
            IdChangeKind.Received => _addId.Bind(2, change.PacketId),
            IdChangeKind.Released => _removeId.Bind(2, change.PacketId),
            _ => _removeIds,
        };
        statement.Bind(1, _session).Run();
    }

    private long SeriesId(string topic)
    {
        if (_seriesIds.TryGetValue(topic, out var id))
            return id;
        if (_findSeries.Bind(1, topic).Step())
        {
            id = _findSeries.Integer(0);
            _findSeries.Reset();
        }
        else
        {
            _insertSeries.Bind(1, topic).Run();
            id = _database.LastInsertRowId;
        }
        return _seriesIds[topic] = id;
    }
}
