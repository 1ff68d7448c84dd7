using Meanwhile.Feeds;
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
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly LogLimiter _limiter;

    private BrokerFile(string path, Database database, FileLock fileLock, ILogger logger, TimeProvider time)
    {
        (_path, _database, _lock, _logger, _time, _limiter) = (path, database, fileLock, logger, time, new LogLimiter(time));
        _tables = new BrokerTables(database);
        _freeSpace = new FreeSpace(database);
    }

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
    public async ValueTask CommitAsync(IReadOnlyList<Change> changes, CancellationToken stop)
    {
        var (backoff, isSaid) = (Backoff.ForStore(), false);
        while (true)
        {
            try
            {
                _database.Transact((File: this, changes), static work => work.File.Write(work.changes));
                _database.CheckStillThere();
                if (isSaid)
                    Log.CommitsAgain(_logger);
                return;
            }
            catch (StoreException e) when (e.MayHeal && !stop.IsCancellationRequested)
            {
                if (_limiter.MayLog(e.Message, out var repeated))
                {
                    Log.CommitWaits(_logger, e.Message, repeated);
                    isSaid = true;
                }
            }
            catch (StoreException e)
            {
                throw new UserException($"{e.Message}; what was not committed is not acknowledged, and will be sent again", inner: e);
            }
            await Task.Delay(backoff.Next(), _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

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
