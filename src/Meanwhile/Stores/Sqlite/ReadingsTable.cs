using System.Runtime.InteropServices;

namespace Meanwhile.Stores.Sqlite;

/// <summary>The readings and their identities, in the order of time.</summary>
internal sealed class ReadingsTable
{
    // Beyond it SQLite keeps whole numbers as they come in columns of numbers, too.
    private const double LargestWhole = 1L << 51;

    private readonly Database _database;
    private readonly Positions _positions;
    private readonly SeriesById _byId;
    private readonly SeriesNames _series;
    private readonly RowWriter _rows;
    private readonly Statement _insertIdentity;
    private readonly Statement _expire;
    private readonly Statement _expireIdentities;
    private readonly Statement _read;

    /// <summary>The readings of a file that is up to date.</summary>
    /// <param name="database">The file.</param>
    /// <param name="filter">What rows that the seed's program wrote are read for.</param>
    public ReadingsTable(Database database, string filter)
    {
        (_database, _byId) = (database, new SeriesById(database, filter));
        _positions = new Positions(database);
        _rows = new RowWriter(database);
        _insertIdentity = database.Prepare("INSERT INTO identities (position, series, identity) VALUES (?, ?, ?) ON CONFLICT (series, identity) DO NOTHING");
        _expire = database.Prepare("DELETE FROM messages WHERE position < ?");
        _expireIdentities = database.Prepare("DELETE FROM identities WHERE position < ?");
        _read = database.Prepare("SELECT number, epochtime, series FROM messages WHERE position BETWEEN ? AND ? ORDER BY position");
        var newest = database.Prepare("SELECT MAX(position) FROM messages");
        newest.Step();
        _series = new SeriesNames(database, _byId, newest.IsNull(0) ? 0 : Positions.Time(newest.Integer(0)));
        newest.Reset();
    }

    /// <summary>Writes readings, and finds those whose identity is known.</summary>
    /// <param name="known">Where the indexes of those go.</param>
    public void Insert(List<Reading> readings, List<int> known)
    {
        _positions.Trim();
        _rows.Begin();
        var all = CollectionsMarshal.AsSpan(readings);
        for (var i = 0; i < all.Length; i++)
        {
            ref readonly var reading = ref all[i];
            var (series, position) = (_series.IdOf(reading.Series, reading.Time), _positions.Next(reading.Time));
            if (reading.Identity.IsEmpty || IsNew(position, series, reading.Identity.Span))
                _rows.Add(reading.Value, reading.Time, series, position);
            else
                known.Add(i);
        }
        _rows.Flush();
    }

    /// <summary>Deletes what is older than the retention.</summary>
    public void Expire(long cutoff)
    {
        var first = Positions.First(cutoff);
        _expire.Bind(1, first).Run();
        _expireIdentities.Bind(1, first).Run();
    }

    /// <summary>Deletes, now and then, the series that have no readings any more; after the readings of the same transaction are in.</summary>
    public void PruneSeries(long cutoff) => _series.Prune(cutoff);

    /// <summary>Reads readings in the order of their times.</summary>
    public IEnumerable<Reading> Read(long from, long to)
    {
        _read.Reset();
        _read.Bind(1, Positions.First(from)).Bind(2, Positions.Last(to));
        try
        {
            while (_read.Step())
            {
                if (IsReading(_read) && _byId.NameOf(_read, 2) is { } series)
                    yield return new Reading(series, TimeOf(_read, 1), _read.Double(0));
            }
        }
        finally
        {
            _read.Reset(); // Whoever leaves early must not keep the file's old pages in use.
        }
    }

    /// <summary>What is left out of them.</summary>
    public IEnumerable<LeftOut> FindLeftOut() => _byId.FindLeftOut();

    /// <summary>Whether a row starts with a number and a time: another program may have left texts or nothing at all where they belong.</summary>
    public static bool IsReading(Statement row) => row.IsNumber(0) && row.IsNumber(1) && double.IsFinite(row.Double(0));

    /// <summary>Puts the rows that another program has added behind the last one where their times belong, and makes numbers of texts that hold one.</summary>
    public void TakeInForeignRows()
    {
        _database.Execute("UPDATE messages SET number = CAST(number AS NUMERIC) WHERE series IS NULL AND TYPEOF(number) = 'text' AND number = CAST(number AS NUMERIC)");
        List<(long Position, long Time)> misplaced = [];
        var foreign = _database.Prepare("SELECT position, epochtime FROM messages WHERE series IS NULL");
        while (foreign.Step())
        {
            if (foreign.IsNumber(1) && TimeOf(foreign, 1) is var time && Positions.Time(foreign.Integer(0)) != time)
                misplaced.Add((foreign.Integer(0), time));
        }
        var move = _database.Prepare("UPDATE messages SET position = ? WHERE position = ?");
        foreach (var (position, time) in misplaced)
            move.Bind(1, _positions.Next(time)).Bind(2, position).Run();
    }

    /// <summary>What was written is durable.</summary>
    public void Committed() => _series.Committed();

    /// <summary>What was written is gone.</summary>
    public void RolledBack()
    {
        _rows.Forget();
        _series.RolledBack();
        _positions.Forget();
    }

    /// <summary>Binds whole numbers as such, as the seed's program does. SQLite has no whole number for -0.</summary>
    public static Statement BindNumber(Statement statement, double value, int parameter)
    {
        var whole = (long)value;
        return whole == value && Math.Abs(value) < LargestWhole && (whole != 0 || !double.IsNegative(value)) ? statement.Bind(parameter, whole) : statement.Bind(parameter, value);
    }

    /// <summary>Binds whole seconds as such, as the seed's program does, and others with their fraction.</summary>
    public static Statement BindTime(Statement statement, long time, int parameter = 2) =>
        time % 1000 == 0 ? statement.Bind(parameter, time / 1000) : statement.Bind(parameter, time / 1000.0);

    /// <summary>A column's seconds as milliseconds.</summary>
    public static long TimeOf(Statement row, int column) =>
        row.IsInteger(column) ? Math.Clamp(row.Integer(column), -1L << 52, 1L << 52) * 1000 : (long)Math.Round(row.Double(column) * 1000);

    private bool IsNew(long position, long series, ReadOnlySpan<byte> identity)
    {
        _insertIdentity.Bind(1, position).Bind(2, series).BindText(3, identity).Run();
        return _database.Changes > 0;
    }
}
