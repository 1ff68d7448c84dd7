namespace Meanwhile.Stores.Sqlite;

/// <summary>Inserts readings, many with one statement: most of the cost of an insert is its statement's.</summary>
internal sealed class RowWriter
{
    private const int RowsAStatement = 32;
    private const int Columns = 4;
    private const string Insert = "INSERT INTO messages (number, epochtime, series, position) VALUES (?, ?, ?, ?)";

    private readonly Statement _one;
    private readonly Statement _many;
    private readonly (double Value, long Time, long Series, long Position)[] _rows = new (double, long, long, long)[RowsAStatement];
    private int _count;

    /// <summary>Into a file that is up to date.</summary>
    public RowWriter(Database database)
    {
        _one = database.Prepare(Insert);
        _many = database.Prepare(Insert + string.Concat(Enumerable.Repeat(", (?, ?, ?, ?)", RowsAStatement - 1)));
    }

    /// <summary>Takes a row, to be inserted by the next <see cref="Flush"/> at the latest.</summary>
    public void Add(double value, long time, long series, long position)
    {
        _rows[_count++] = (value, time, series, position);
        if (_count < RowsAStatement)
            return;
        for (var row = 0; row < RowsAStatement; row++)
            Bind(_many, row);
        _many.Run();
        _count = 0;
    }

    /// <summary>Inserts what is left.</summary>
    public void Flush()
    {
        for (var row = 0; row < _count; row++)
        {
            Bind(_one, row, first: 0);
            _one.Run();
        }
        _count = 0;
    }

    /// <summary>Drops what is left.</summary>
    public void Forget() => _count = 0;

    private void Bind(Statement statement, int row) => Bind(statement, row, row * Columns);

    private void Bind(Statement statement, int row, int first)
    {
        var (value, time, series, position) = _rows[row];
        statement.Bind(first + 1, value).Bind(first + 3, series).Bind(first + 4, position);
        ReadingsTable.BindTime(statement, time, first + 2);
    }
}
