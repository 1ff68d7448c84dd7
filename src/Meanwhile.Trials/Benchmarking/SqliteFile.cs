using SQLitePCL;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>A connection to a SQLite file, as another program would have it.</summary>
internal sealed class SqliteFile : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly string _path;

    static SqliteFile() => Batteries_V2.Init();

    /// <summary>Opens it; it is made if it is missing.</summary>
    public SqliteFile(string path)
    {
        _path = path;
        Check(raw.sqlite3_open(path, out _handle));
    }

    /// <summary>Runs statements whose rows are of no interest.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>Runs them.</summary>
    /// <returns>False when another program has locked the file.</returns>
    public bool TryExecute(string sql)
    {
        var code = raw.sqlite3_exec(_handle, sql);
        if (code is raw.SQLITE_BUSY or raw.SQLITE_LOCKED)
            return false;
        Check(code);
        return true;
    }

    /// <summary>Prepares a statement.</summary>
    public sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out var statement));
        return statement;
    }

    /// <summary>Runs a statement that returns no rows.</summary>
    public void Run(sqlite3_stmt statement)
    {
        _ = raw.sqlite3_step(statement);
        Check(raw.sqlite3_reset(statement)); // Reports the failure of the step as well.
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw new TrialException($"{_path}: {raw.sqlite3_errmsg(_handle).utf8_to_string()} (SQLite code {code})");
    }
}
