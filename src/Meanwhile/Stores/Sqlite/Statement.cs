using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using SQLitePCL;

namespace Meanwhile.Stores.Sqlite;

/// <summary>A prepared statement. Parameters count from 1, columns from 0.</summary>
internal sealed class Statement(Database database, sqlite3_stmt handle) : IDisposable
{
    private readonly nint _statement = handle.DangerousGetHandle();

    public Statement Bind(int parameter, long value)
    {
        database.Check(sqlite3_bind_int64(_statement, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, double value)
    {
        database.Check(sqlite3_bind_double(_statement, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, string value)
    {
        database.Check(raw.sqlite3_bind_text(handle, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        // An empty span has no address, and SQLite takes a blob without one for NULL.
        database.Check(value.IsEmpty ? raw.sqlite3_bind_zeroblob(handle, parameter, 0) : raw.sqlite3_bind_blob(handle, parameter, value));
        return this;
    }

    public Statement BindText(int parameter, ReadOnlySpan<byte> utf8)
    {
        database.Check(raw.sqlite3_bind_text(handle, parameter, utf8));
        return this;
    }

    public Statement BindNull(int parameter)
    {
        database.Check(raw.sqlite3_bind_null(handle, parameter));
        return this;
    }

    /// <summary>Goes to the next row; at the end it is ready to be bound again.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
            return true;
        _ = raw.sqlite3_reset(handle); // Reports the failure of the step once more.
        database.Check(code);
        return false;
    }

    /// <summary>Runs it for its effect.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Leaves a query before its end.</summary>
    public void Reset() => _ = raw.sqlite3_reset(handle);

    public bool IsNumber(int column) => sqlite3_column_type(_statement, column) is raw.SQLITE_INTEGER or raw.SQLITE_FLOAT;

    public bool IsInteger(int column) => sqlite3_column_type(_statement, column) == raw.SQLITE_INTEGER;

    public bool IsNull(int column) => sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long Integer(int column) => sqlite3_column_int64(_statement, column);

    public double Double(int column) => sqlite3_column_double(_statement, column);

    /// <summary>A text that only we have written.</summary>
    /// <exception cref="StoreException">Its bytes are not UTF-8.</exception>
    public string Text(int column) => TryText(column) ?? throw database.Damaged("a text in it is not UTF-8");

    /// <summary>A text; null where its bytes are not UTF-8. No byte is replaced: two names would become one.</summary>
    public string? TryText(int column)
    {
        var utf8 = TextBytes(column);
        return Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : null;
    }

    /// <summary>A text's bytes, valid until the next step. All of them: a text may hold zeros.</summary>
    public ReadOnlySpan<byte> TextBytes(int column)
    {
        _ = raw.sqlite3_column_text(handle, column); // From now on they are UTF-8, whatever the file's encoding is.
        return raw.sqlite3_column_blob(handle, column);
    }

    public byte[] Blob(int column) => raw.sqlite3_column_blob(handle, column).ToArray();

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    // The library counts its handle up and down around each call, which took a quarter of the time in which windows are rebuilt: not for numbers, one by one.
    [DllImport("e_sqlite3"), SuppressGCTransition]
    private static extern int sqlite3_bind_int64(nint statement, int parameter, long value);

    [DllImport("e_sqlite3"), SuppressGCTransition]
    private static extern int sqlite3_bind_double(nint statement, int parameter, double value);

    [DllImport("e_sqlite3"), SuppressGCTransition]
    private static extern int sqlite3_column_type(nint statement, int column);

    [DllImport("e_sqlite3"), SuppressGCTransition]
    private static extern long sqlite3_column_int64(nint statement, int column);

    [DllImport("e_sqlite3"), SuppressGCTransition]
    private static extern double sqlite3_column_double(nint statement, int column);
}
