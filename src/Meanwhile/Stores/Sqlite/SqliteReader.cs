namespace Meanwhile.Stores.Sqlite;

/// <summary>Reads a SQLite file beside its owner, whose lock it neither needs nor takes.</summary>
internal sealed class SqliteReader : IStoreReader
{
    private const long LastTime = 99_999_999_999_000;

    private readonly Database _database;
    private readonly string _unnamedSeries;
    private readonly bool _isEmpty;
    private readonly bool _isOurs;

    private SqliteReader(Database database, string path, string unnamedSeries)
    {
        (_database, _unnamedSeries) = (database, unnamedSeries);
        database.Execute("BEGIN"); // What is read from here on is of one moment, however long it takes.
        _isOurs = Schema.ReadVersion(database, path) > 0;
        var tables = database.Prepare("SELECT 1 FROM sqlite_schema WHERE name = 'messages'");
        _isEmpty = !tables.Step();
        tables.Reset();
    }

    /// <summary>Opens a file that is there.</summary>
    public static SqliteReader Open(string path, string unnamedSeries)
    {
        if (!File.Exists(path))
            throw new UserException($"{path} does not exist: expected the file of an aggregator (--db)");
        var database = new Database(path, forReading: true);
        try
        {
            return new SqliteReader(database, path, unnamedSeries);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<Reading> ReadReadings(long from, long to)
    {
        if (_isEmpty)
            yield break;
        var query = _database.Prepare(_isOurs
            ? "SELECT number, epochtime, topic FROM messages LEFT JOIN series ON series.id = messages.series WHERE epochtime BETWEEN ? AND ? ORDER BY epochtime, messages.rowid"
            : "SELECT number, epochtime, NULL FROM messages WHERE epochtime BETWEEN ? AND ? ORDER BY epochtime, rowid");
        query.Bind(1, SqliteStore.Seconds(Math.Max(from, -LastTime))).Bind(2, SqliteStore.Seconds(Math.Min(to, LastTime)));
        while (query.Step())
        {
            // Another program may have left texts or nothing at all where numbers belong.
            if (query.IsNumber(0) && query.IsNumber(1) && double.IsFinite(query.Double(0)))
                yield return new Reading(query.IsNull(2) ? _unnamedSeries : query.Text(2), SqliteStore.Milliseconds(query), query.Double(0));
        }
    }

    /// <inheritdoc/>
    public IEnumerable<QuarantinedMessage> ReadQuarantine()
    {
        if (!_isOurs)
            yield break;
        var query = _database.Prepare("SELECT id, arrived, topic, payload, reason FROM quarantine ORDER BY id");
        while (query.Step())
            yield return new QuarantinedMessage(query.Integer(0), new Quarantined(SqliteStore.Milliseconds(query), query.Text(2), query.Blob(3), query.Text(4)));
    }

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();
}
