using SQLitePCL;

namespace Meanwhile.Stores.Sqlite;

/// <summary>A connection to a SQLite file, on the library's lower layer, which is measurably faster than ADO.NET. One thread at a time.</summary>
internal sealed class Database : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly string _path;
    private readonly string _journalPath;
    private readonly List<Statement> _statements = [];
    private readonly Statement _begin;
    private readonly Statement _commit;

    static Database() => Batteries_V2.Init();

    /// <summary>Opens a file; for writing, it is made if it is missing.</summary>
    /// <param name="isFrozen">Nobody writes to it meanwhile: only then can it be read without files beside it.</param>
    public Database(string path, bool forReading = false, bool isFrozen = false)
    {
        (_path, _journalPath) = (path, path + "-wal");
        var mode = forReading ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE;
        var name = isFrozen ? $"file://{string.Join('/', Path.GetFullPath(path).Split('/').Select(Uri.EscapeDataString))}?immutable=1" : path;
        var code = raw.sqlite3_open_v2(name, out _handle, mode | raw.SQLITE_OPEN_NOMUTEX | (isFrozen ? raw.SQLITE_OPEN_URI : 0), null);
        if (code != raw.SQLITE_OK)
        {
            var failure = Failure(code);
            _handle.Dispose();
            throw failure;
        }
        Check(raw.sqlite3_extended_result_codes(_handle, 1));
        Check(raw.sqlite3_busy_timeout(_handle, 250));
        if (!forReading && raw.sqlite3_db_readonly(_handle, "main") == 1)
        {
            Dispose();
            throw new StoreException($"{path} is read-only: expected a file that can be written to", mayHeal: false);
        }
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
    }

    /// <summary>The rowid of the last insert.</summary>
    public long LastInsertRowId => raw.sqlite3_last_insert_rowid(_handle);

    /// <summary>Prepares a statement, which lives as long as the connection.</summary>
    public Statement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
        var statement = new Statement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Runs statements whose rows are of no interest.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>Sees to it that a commit is on the disk, not only with the operating system, when it returns.</summary>
    public void MakeDurable() => // The journal is reused, so a peak is cut off later.
        Execute("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");

    /// <summary>The number that a pragma says.</summary>
    public long ReadPragma(string name)
    {
        var statement = Prepare($"PRAGMA {name}");
        statement.Step();
        var value = statement.Integer(0);
        statement.Reset();
        return value;
    }

    /// <summary>How many rows the last statement has changed.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>Runs something in a transaction: all of it is durable when this returns, or nothing of it was done.</summary>
    public void Transact<TState>(TState state, Action<TState> work) => Transact((state, work), static both =>
    {
        both.work(both.state);
        return true;
    });

    /// <inheritdoc cref="Transact{TState}(TState, Action{TState})"/>
    public TResult Transact<TState, TResult>(TState state, Func<TState, TResult> work)
    {
        _begin.Run();
        try
        {
            var result = work(state);
            _commit.Run();
            return result;
        }
        catch
        {
            // A query that is still open would keep the transaction open as well.
            foreach (var statement in _statements)
                statement.Reset();
            // Some failures, a full disk among them, have rolled back already.
            if (raw.sqlite3_get_autocommit(_handle) == 0)
                _ = raw.sqlite3_exec(_handle, "ROLLBACK");
            throw;
        }
    }

    /// <summary>Sees to it that what was committed can be found again: the names of an open file can be taken from it.</summary>
    /// <exception cref="StoreException">The file was deleted or moved.</exception>
    public void CheckStillThere()
    {
        if (!File.Exists(_path) || !File.Exists(_journalPath))
            throw new StoreException($"{_path} was deleted or moved while it was in use: start again to begin a new one, or put it back first", mayHeal: false);
    }

    /// <summary>Throws what a result code stands for.</summary>
    public void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
            throw Failure(code);
    }

    /// <summary>What is thrown where its content cannot be what we have written.</summary>
    public StoreException Damaged(string what) => new($"{_path} is damaged ({what}): move it away, or restore a copy", mayHeal: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in _statements)
            statement.Dispose();
        _handle.Dispose();
    }

    private StoreException Failure(int code) => (code & 0xFF) switch
    {
        raw.SQLITE_FULL => new StoreException($"{_path}: the disk is full", mayHeal: true),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new StoreException($"{_path} is held by another program", mayHeal: true),
        raw.SQLITE_CONSTRAINT => new StoreException($"{_path} was written to by another program ({Message()})", mayHeal: true),
        raw.SQLITE_IOERR => new StoreException($"{_path} cannot be read or written ({Message()})", mayHeal: true),
        raw.SQLITE_READONLY => new StoreException($"{_path} is read-only: expected a file that can be written to", mayHeal: false),
        raw.SQLITE_NOTADB => new StoreException($"{_path} is no SQLite database: expected one, or no file at all", mayHeal: false),
        raw.SQLITE_CORRUPT => Damaged(Message()),
        _ => new StoreException($"{_path}: {Message()} (SQLite code {code})", mayHeal: false),
    };

    private string Message() => raw.sqlite3_errmsg(_handle).utf8_to_string();
}
