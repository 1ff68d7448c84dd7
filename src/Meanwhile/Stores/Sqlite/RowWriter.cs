namespace Meanwhile.Stores.Sqlite;

/// <summary>Inserts readings, many with one statement: most of the cost of an insert is its statement's.</summary>
internal sealed class RowWriter
{
    private const int RowsAStatement = 64;
    private const int Columns = 4;
    private const string Insert = "INSERT INTO messages (number, epochtime, series, position) VALUES (?, ?, ?, ?)";

    // In place of a position: the one after the last row of the table.
    private const long Appended = -1;

    private readonly Statement _one;
    private readonly Statement _many;
    private readonly Statement _findLast;
    private readonly (double Value, long Time, long Series, long Position)[] _rows = new (double, long, long, long)[RowsAStatement];
    private readonly (long Time, long Series, long Position)[] _bound = new (long, long, long)[RowsAStatement];
    private int _count;
    private long? _last;

    /// <summary>Into a file that is up to date.</summary>
    public RowWriter(Database database)
    {
        _one = database.Prepare(Insert);
        _many = database.Prepare(Insert + string.Concat(Enumerable.Repeat(", (?, ?, ?, ?)", RowsAStatement - 1)));
        _findLast = database.Prepare("SELECT MAX(position) FROM messages");
    }

    /// <summary>A transaction begins: others may have written since the last one, or what that one wrote is gone.</summary>
    public void Begin() => (_count, _last) = (0, null);

    /// <summary>Takes a row, to be inserted by the next <see cref="Flush"/> at the latest.</summary>
    public void Add(double value, long time, long series, long position)
    {
        _rows[_count++] = (value, time, series, position);
        if (_count < RowsAStatement)
            return;
        for (var row = 0; row < RowsAStatement; row++)
            BindOneOfMany(row);
        _many.Run();
        _count = 0;
    }

    /// <summary>Inserts what is left.</summary>
    public void Flush()
    {
        for (var row = 0; row < _count; row++)
        {
            var (value, time, series, position) = _rows[row];
            ReadingsTable.BindTime(ReadingsTable.BindNumber(_one, value, 1), time).Bind(3, series).Bind(4, position).Run();
        }
        _count = 0;
    }

    /// <summary>What was being inserted is gone, and perhaps not all of it was bound.</summary>
    public void Forget() => Array.Clear(_bound);

    // Values stay bound from one run to the next: what is the same needs no call.
    private void BindOneOfMany(int row)
    {
        var (value, time, series, position) = _rows[row];
        position = IsNext(position) ? Appended : position;
        var first = (row * Columns) + 1;
        ref var bound = ref _bound[row];
        ReadingsTable.BindNumber(_many, value, first);
        if (bound.Time != time || bound.Series == 0)
            ReadingsTable.BindTime(_many, time, first + 1);
        if (bound.Series != series)
            _many.Bind(first + 2, series);
        if (position != Appended)
            _many.Bind(first + 3, position);
        else if (bound.Position != Appended)
            _many.BindNull(first + 3);
        bound = (time, series, position);
    }

    // SQLite looks for the place of each row whose position it is told, and for none when it gives out the next position itself.
    private bool IsNext(long position)
    {
        if (_last is not { } last)
        {
            _findLast.Step();
            last = _findLast.IsNull(0) ? position : _findLast.Integer(0);
            _findLast.Reset();
        }
        _last = Math.Max(last, position);
        return position == last + 1;
    }
}
