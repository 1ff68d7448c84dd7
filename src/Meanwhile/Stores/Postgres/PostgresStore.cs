using System.Data;
using Meanwhile.Logging;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>Readings, quarantine and the feed's sessions in a PostgreSQL database. One caller at a time.</summary>
internal sealed class PostgresStore : IStore
{
    private readonly PostgresAddress _address;
    private readonly StoreOptions _options;
    private readonly DatabaseOwner _owner;
    private readonly NpgsqlDataSource _source;
    private readonly Commit _commit = new();
    private readonly CancellationToken _stop;
    private RowReader? _rows;
    private OwnedDatabase? _database;
    private CommitOutcome? _unanswered; // Of a transaction which the server may have committed without our hearing of it.
    private long _commits;

    private PostgresStore(PostgresAddress address, StoreOptions options, CancellationToken stop)
    {
        (_address, _options, _owner, _stop) = (address, options, new DatabaseOwner(address), stop);
        var connection = new NpgsqlConnectionStringBuilder(address.Connection.ConnectionString) { ApplicationName = _owner.Name };
        _source = new NpgsqlSlimDataSourceBuilder(connection.ConnectionString).EnableArrays().EnableTransportSecurity().Build();
    }

    /// <summary>Connects to a database, makes its tables if they are missing, and keeps other aggregators away from it.</summary>
    /// <param name="stop">Ends all that is asked of the server, but for commits.</param>
    public static async Task<PostgresStore> OpenAsync(PostgresAddress address, StoreOptions options, ILogger logger, CancellationToken stop)
    {
        var store = new PostgresStore(address, options, stop);
        try
        {
            await CancellableWait.ForAsync(store.GuardAsync(async () =>
            {
                store._database = await OwnedDatabase.OpenAsync(store._source, address, store._owner, options, stop);
                await store._database.ClaimAsync(store._owner, stop);
            }), stop);
            if (store._database!.IsVolatile)
                Log.StoreIsVolatile(logger, address);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<CommitReport> CommitAsync(Batch batch, Cutoff cutoff, CancellationToken cancellationToken)
    {
        CommitOutcome? outcome = null;
        await GuardAsync(async () =>
        {
            var database = await ConnectAsync(cancellationToken);
            if (_unanswered is { } unanswered && database.Commits == unanswered.Number)
            {
                outcome = unanswered;
                return;
            }
            await Commit.ExpireBacklogAsync(database, cutoff.Readings, cancellationToken);
            outcome = await _commit.RunAsync(database, batch, cutoff, prepared => _unanswered = prepared, cancellationToken);
        });
        _unanswered = null;
        _commits = outcome!.Number;
        outcome.TakeKnownOutOf(batch.Readings);
        return outcome.Report;
    }

    /// <inheritdoc/>
    public IEnumerable<Reading> ReadReadings(long from, long to) => Rows().ReadReadings(from, to);

    /// <inheritdoc/>
    public IEnumerable<LeftOut> FindLeftOut() => Rows().FindLeftOut();

    /// <inheritdoc/>
    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) => Rows().ReadQuarantine(newestFirst);

    /// <inheritdoc/>
    public SessionState ReadSession() => Connect().Sessions.State;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_rows is not { IsSilent: true })
            _database?.Dispose();
        _source.Dispose();
    }

    private RowReader Rows() => _rows = new(Connect().Connection, _address, _options.UnnamedSeries, _stop);

    private OwnedDatabase Connect()
    {
        CancellableWait.ForAsync(GuardAsync(() => ConnectAsync(_stop)), _stop).GetAwaiter().GetResult();
        return _database!;
    }

    // A new connection owns the database only if nobody else has committed since the last one, and if all that was committed then is still there.
    private async Task<OwnedDatabase> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_database is { Connection.State: ConnectionState.Open })
            return _database;
        Disconnect();
        _database = await OwnedDatabase.OpenAsync(_source, _address, _owner, _options, cancellationToken);
        if (_database.LastOwner != _owner.Name)
            throw new UserException($"{_address}: another aggregator ({DatabaseOwner.Describe(_database.LastOwner)}) has committed since the connection was lost: start this one again, to read that as well");
        if (_database.Commits != _commits && _database.Commits != _unanswered?.Number)
            throw new StoreException($"{_address} has lost what it had committed (a backup restored, or a standby that was behind): start again, to go on with what is left", mayHeal: false);
        return _database;
    }

    private async Task GuardAsync(Func<Task> work)
    {
        try
        {
            await PostgresFailure.GuardAsync(work, _address);
        }
        catch
        {
            Disconnect();
            throw;
        }
    }

    // After any failure: what we remember may not be what the server has.
    private void Disconnect()
    {
        _database?.Dispose();
        _database = null;
    }
}
