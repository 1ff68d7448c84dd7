namespace Meanwhile.Stores.Sqlite;

/// <summary>Reads a SQLite file beside its owner, whose lock it neither needs nor takes.</summary>
internal sealed class SqliteReader : IStoreReader
{
    // In characters: the owner knows them already, and may have millions of series.
    private const long MostNames = 2 << 20;

    private readonly Database _database;
    private readonly string? _unnamedSeries;
    private readonly SeriesById? _series; // Null for a file that is not ours.
    private readonly FrozenFile? _frozen;

    private SqliteReader(Database database, FrozenFile? frozen, string filter, bool isOurs) =>
        (_database, _frozen, _unnamedSeries, _series) = (database, frozen, LeftOut.UnnamedSeriesOf(filter), isOurs ? new SeriesById(database, filter, MostNames) : null);

    /// <summary>Opens a file that is there.</summary>
    /// <exception cref="UserException">It is not.</exception>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static SqliteReader Open(string path, string unnamedSeries)
    {
        if (!File.Exists(path))
            throw new UserException($"{path} does not exist: expected the file of an aggregator (--db)");
        var database = Begin(path, out var frozen);
        try
        {
            var version = SqliteSchema.ReadVersion(database, path);
            if (version is > 0 and < SqliteSchema.OldestReadable)
                throw new StoreException($"{path} was written by an older version of meanwhile: start meanwhile aggregate on it once, which brings it up to date", mayHeal: false);
            return new SqliteReader(database, frozen, unnamedSeries, isOurs: version > 0);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<Reading> ReadReadings(long from, long to) => Checked(FindReadings(from, to));

    /// <inheritdoc/>
    public IEnumerable<LeftOut> FindLeftOut()
    {
        if (_series is not null)
            return _series.FindLeftOut();
        if (_unnamedSeries is not null)
            return [];
        var count = _database.Prepare(FindForeignTable("COUNT(*)"));
        var rows = count.Step() ? count.Integer(0) : 0;
        count.Reset();
        return rows == 0 ? [] : [LeftOut.OfUnnamed(rows)];
    }

    /// <inheritdoc/>
    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) =>
        _series is not null ? Checked(QuarantineTable.Read(_database.Prepare(newestFirst ? QuarantineTable.ReadNewestFirst : QuarantineTable.ReadAll))) : [];

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();

    // Begins to read: what is read from here on is of one moment, however long it takes.
    private static Database Begin(string path, out FrozenFile? frozen)
    {
        frozen = null;
        try
        {
            return Begin(new Database(path, forReading: true));
        }
        catch (StoreException) when (FrozenFile.IsOne(PrivateFile.Resolve(path)))
        {
            frozen = FrozenFile.Open(PrivateFile.Resolve(path), out var database);
            return Begin(database);
        }
    }

    private static Database Begin(Database database)
    {
        try
        {
            database.Execute("BEGIN; SELECT COUNT(*) FROM sqlite_schema"); // The transaction itself opens nothing yet.
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private IEnumerable<T> Checked<T>(IEnumerable<T> rows)
    {
        foreach (var row in rows)
            yield return row;
        _frozen?.CheckUnchanged();
    }

    private IEnumerable<Reading> FindReadings(long from, long to)
    {
        if (_series is null)
            return ReadForeignRows(FindForeignTable("number, epochtime, rowid"), from, to).Select(row => row.Reading);
        var misplaced = ReadForeignRows("SELECT number, epochtime, position FROM messages WHERE series IS NULL", from, to)
            .Where(row => Positions.Time(row.Position) != row.Reading.Time);
        return Merge(ReadInPlace(_series, from, to), [.. misplaced.Select(row => row.Reading)]);
    }

    private string FindForeignTable(string columns)
    {
        var table = _database.Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'messages'");
        var isThere = table.Step();
        table.Reset();
        return isThere ? $"SELECT {columns} FROM messages" : "SELECT NULL, NULL, NULL WHERE FALSE";
    }

    private IEnumerable<Reading> ReadInPlace(SeriesById series, long from, long to)
    {
        var query = _database.Prepare("SELECT number, epochtime, position, series FROM messages WHERE position BETWEEN ? AND ? ORDER BY position");
        query.Bind(1, Positions.First(from)).Bind(2, Positions.Last(to));
        while (query.Step())
        {
            var isInPlace = series.IsNamed(query, 3) || Positions.Time(query.Integer(2)) == ReadingsTable.TimeOf(query, 1);
            if (ReadingsTable.IsReading(query) && isInPlace && series.NameOf(query, 3) is { } name)
                yield return new Reading(name, ReadingsTable.TimeOf(query, 1), query.Double(0));
        }
    }

    // Rows of the seed's program, in the order of their times: until the owner starts next, they are where that program has put them.
    private IEnumerable<(Reading Reading, long Position)> ReadForeignRows(string sql, long from, long to)
    {
        List<(Reading Reading, long Position)> rows = [];
        if (_unnamedSeries is null)
            return rows;
        var query = _database.Prepare(sql);
        while (query.Step())
        {
            if (ReadingsTable.IsReading(query) && ReadingsTable.TimeOf(query, 1) is var time && time >= from && time <= to)
                rows.Add((new Reading(_unnamedSeries, time, query.Double(0)), query.Integer(2)));
        }
        return rows.OrderBy(row => row.Reading.Time).ThenBy(row => row.Position);
    }

    private static IEnumerable<Reading> Merge(IEnumerable<Reading> inPlace, List<Reading> misplaced)
    {
        var next = 0;
        foreach (var reading in inPlace)
        {
            for (; next < misplaced.Count && misplaced[next].Time < reading.Time; next++)
                yield return misplaced[next];
            yield return reading;
        }
        foreach (var reading in misplaced.Skip(next))
            yield return reading;
    }
}
