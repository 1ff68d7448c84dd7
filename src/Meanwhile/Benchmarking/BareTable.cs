using Meanwhile.Stores.Sqlite;

namespace Meanwhile.Benchmarking;

/// <summary>The least that a SQLite file takes: rows of two columns, one statement a row, through the same classes as the store's.</summary>
internal sealed class BareTable : IDisposable
{
    private readonly Database _database;
    private readonly Statement _insert;

    /// <summary>Makes one.</summary>
    public BareTable(string path)
    {
        _database = new Database(path);
        _database.MakeDurable();
        _database.Execute("CREATE TABLE messages (number NUMERIC, epochtime NUMERIC)");
        _insert = _database.Prepare("INSERT INTO messages VALUES (?, ?)");
    }

    /// <summary>Inserts rows, so many a transaction, until told to stop.</summary>
    /// <returns>How many.</returns>
    public long Insert(int batch, Func<bool> isOver)
    {
        var rows = 0L;
        for (; !isOver(); rows += batch)
        {
            _database.Transact((_insert, rows, batch), static work =>
            {
                for (var i = 0; i < work.batch; i++)
                    work._insert.Bind(1, 10.0 + (i % 90)).Bind(2, 1_700_000_000 + (work.rows / 1000)).Run();
            });
        }
        return rows;
    }

    /// <summary>Reads the rows of a store's file one by one, and does nothing with them.</summary>
    /// <returns>How many.</returns>
    public static long Read(string path)
    {
        using var database = new Database(path, forReading: true);
        var read = database.Prepare("SELECT number, epochtime, series FROM messages ORDER BY position");
        var (rows, sum) = (0L, 0.0);
        for (; read.Step(); rows++)
            sum += read.Double(0) + read.Double(1) + read.Integer(2);
        return double.IsNaN(sum) ? -1 : rows;
    }

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();
}
