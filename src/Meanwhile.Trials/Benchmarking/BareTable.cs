using System.Runtime.InteropServices;
using SQLitePCL;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>The least that a SQLite file takes: rows of two columns, one statement a row.</summary>
internal sealed class BareTable : IDisposable
{
    private readonly SqliteFile _file;
    private readonly sqlite3_stmt _insert;

    /// <summary>Makes one, whose commits are on the disk when they return.</summary>
    public BareTable(string path)
    {
        _file = new SqliteFile(path);
        _file.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; CREATE TABLE messages (number NUMERIC, epochtime NUMERIC)");
        _insert = _file.Prepare("INSERT INTO messages VALUES (?, ?)");
    }

    /// <summary>Inserts rows, so many a transaction, until told to stop.</summary>
    /// <returns>How many.</returns>
    public long Insert(int batch, Func<bool> isOver)
    {
        var (rows, insert) = (0L, _insert.DangerousGetHandle());
        for (; !isOver(); rows += batch)
        {
            _file.Execute("BEGIN IMMEDIATE");
            for (var i = 0; i < batch; i++)
            {
                _ = BindDouble(insert, 1, 10 + (i % 90));
                _ = BindInteger(insert, 2, 1_700_000_000 + (rows / 1000));
                _file.Run(_insert);
            }
            _file.Execute("COMMIT");
        }
        return rows;
    }

    /// <summary>Reads the rows of a store's file one by one, and does nothing with them.</summary>
    /// <returns>How many.</returns>
    public static long Read(string path)
    {
        using var file = new SqliteFile(path);
        using var read = file.Prepare("SELECT number, epochtime, series FROM messages ORDER BY position");
        var (rows, sum, row) = (0L, 0.0, read.DangerousGetHandle());
        for (; raw.sqlite3_step(read) == raw.SQLITE_ROW; rows++)
            sum += ColumnDouble(row, 0) + ColumnDouble(row, 1) + ColumnInteger(row, 2);
        return double.IsNaN(sum) ? -1 : rows;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _insert.Dispose();
        _file.Dispose();
    }

    // Past the library, which counts its handle up and down around each call: this is to be a floor.
    [DllImport("e_sqlite3", EntryPoint = "sqlite3_bind_double"), SuppressGCTransition]
    private static extern int BindDouble(nint statement, int parameter, double value);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_bind_int64"), SuppressGCTransition]
    private static extern int BindInteger(nint statement, int parameter, long value);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_column_double"), SuppressGCTransition]
    private static extern double ColumnDouble(nint statement, int column);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_column_int64"), SuppressGCTransition]
    private static extern long ColumnInteger(nint statement, int column);
}
