namespace Meanwhile.Stores.Sqlite;

/// <summary>
/// Gives every reading a row number in the order of its time, and of arrival where times are equal. The table is a tree over row numbers, so the
/// oldest readings are its first rows: they are found and deleted without an index, and a late reading is no more than an insert further left.
/// </summary>
internal sealed class Positions
{
    // 22 bits tell apart what has the same millisecond: four million readings. The other 42 hold milliseconds from 1950 to 2089.
    private const int OrderBits = 22;
    private const long Origin = 1_577_836_800_000; // 2020-01-01
    private const long Span = 1L << (63 - OrderBits);
    private const int MostRemembered = 4096;

    private readonly Statement _last;
    private readonly Dictionary<long, long> _next = [];

    // What is free in the millisecond that was asked for last: most readings have the time of the one before. Of the others the table above knows it.
    private (long Time, long Next, long Last)? _current;

    /// <summary>Row numbers of the tables of readings and of their identities: a reading that another program has deleted leaves its identity.</summary>
    public Positions(Database database) => _last = database.Prepare("""
        SELECT MAX(position) FROM (
            SELECT MAX(position) AS position FROM messages WHERE position BETWEEN ?1 AND ?2
            UNION ALL SELECT MAX(position) FROM identities WHERE position BETWEEN ?1 AND ?2)
        """);

    /// <summary>The lowest row number of a millisecond; times out of range are moved to its end.</summary>
    public static long First(long time) => (Math.Clamp(time, Origin - Span, Origin + Span - 1) - Origin) << OrderBits;

    /// <summary>The highest row number of a millisecond.</summary>
    public static long Last(long time) => First(time) | ((1L << OrderBits) - 1);

    /// <summary>The millisecond that a row number stands for.</summary>
    public static long Time(long position) => (position >> OrderBits) + Origin;

    /// <summary>The next free row number of a millisecond, or of one that follows when it is full.</summary>
    public long Next(long time)
    {
        if (_current is not { } current || current.Time != time || current.Next > current.Last)
            current = MoveTo(time);
        _current = current with { Next = current.Next + 1 };
        return current.Next;
    }

    /// <summary>Gives memory back. Only between inserts: what is not in the table yet is known from here alone.</summary>
    public void Trim()
    {
        if (_next.Count > MostRemembered)
            Forget();
    }

    /// <summary>Looks into the table again: what was inserted is gone, or another program has written to it.</summary>
    public void Forget()
    {
        _next.Clear();
        _current = null;
    }

    private (long Time, long Next, long Last) MoveTo(long time)
    {
        if (_current is { } current)
            _next[current.Time] = current.Next;
        while (true)
        {
            var next = _next.TryGetValue(time, out var known) ? known : FindNext(time);
            if (next <= Last(time))
                return (time, next, Last(time));
            _next[time++] = next;
        }
    }

    private long FindNext(long time)
    {
        _last.Bind(1, First(time)).Bind(2, Last(time)).Step();
        var next = _last.IsNull(0) ? First(time) : _last.Integer(0) + 1;
        _last.Reset();
        return next;
    }
}
