using Meanwhile.Logging;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Stores.Sqlite;

/// <summary>What the embedded broker keeps through a crash, in a SQLite file of its own: sessions, their queues, and retained messages.</summary>
internal sealed class BrokerFile : IBrokerStore, IDisposable
{
    /// <summary>Where it is unless told otherwise.</summary>
    public const string DefaultPath = "tmp/broker.db";

    private static readonly FileOwner Broker = new("broker", "stop that one first, or give each of the two a file of its own");

    private readonly string _path;
    private readonly Database _database;
    private readonly FileLock _lock;
    private readonly BrokerTables _tables;
    private readonly FreeSpace _freeSpace;
    private readonly StoreWait _wait;

    private BrokerFile(string path, Database database, FileLock fileLock, ILogger logger, TimeProvider time)
    {
        (_path, _database, _lock, _wait) = (path, database, fileLock, new StoreWait(logger, new LogLimiter(time), time));
        _tables = new BrokerTables(database);
        _freeSpace = new FreeSpace(database);
    }

    /// <summary>Where it is.</summary>
    public string Path => _path;

    /// <summary>Opens a file, or makes it with its folders, and keeps other brokers away from it.</summary>
    /// <exception cref="StoreException">It cannot be used, or not yet.</exception>
    /// <exception cref="UserException">It has another owner, or its folder cannot be used.</exception>
    public static BrokerFile Open(string path, ILogger logger, TimeProvider time) => OwnedFile.Open(path, Broker, (database, fileLock) =>
    {
        BrokerTables.Prepare(database, path);
        return new BrokerFile(path, database, fileLock, logger, time);
    });

    /// <inheritdoc/>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public IEnumerable<Change> Read()
    {
        try
        {
            return BrokerTablesReader.Read(_database);
        }
        catch (Exception e) when (e is ProtocolException or FormatException)
        {
            throw new StoreException($"{_path} is damaged ({e.Message}): move it away, or restore a copy", mayHeal: false);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="UserException">It is not possible.</exception>
    public async ValueTask CommitAsync(IReadOnlyList<Change> changes, CancellationToken stop) => await _wait.ForCommitAsync(
        (File: this, changes),
        static work =>
        {
            work.File._database.Transact(work, static both => both.File.Write(both.changes));
            work.File._database.CheckStillThere();
            return ValueTask.FromResult(true);
        },
        stop);

    /// <inheritdoc/>
    public void Dispose()
    {
        _database.Dispose();
        _lock.Dispose();
    }

    private void Write(IReadOnlyList<Change> changes)
    {
        foreach (var change in changes)
            _tables.Write(change);
        _freeSpace.GiveBack();
    }
}
