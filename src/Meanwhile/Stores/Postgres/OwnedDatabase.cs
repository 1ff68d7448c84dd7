using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>A connection that holds the lock, and what its owner remembers of the tables' content: nobody else changes it.</summary>
internal sealed class OwnedDatabase : IDisposable
{
    // Commits wait for the disk. No table is scanned, also while it is so small that a scan is the better plan: plans are kept. Waiting for locks has an
    // end, and a dead connection is noticed by the server within half a minute.
    private const string Settings = """
        SELECT set_config('search_path', quote_ident(current_schema()), false), set_config('lock_timeout', '2s', false),
          set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
          set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),
          set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)
        """;

    private const string Facts =
        "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_schema() IS NULL, pg_is_in_recovery(), current_setting('fsync') = 'off'";

    private OwnedDatabase(NpgsqlConnection connection, StoreOptions options)
    {
        Connection = connection;
        Quarantine = new QuarantineIndex(options.QuarantinedMessages, options.QuarantinedBytes);
        Sessions = new FeedSessionRows(options);
    }

    public NpgsqlConnection Connection { get; }

    /// <summary>Whoever committed last.</summary>
    public string LastOwner { get; private set; } = "";

    /// <summary>How many transactions the last owner has committed.</summary>
    public long Commits { get; set; }

    /// <summary>The number of the last message that was committed.</summary>
    public long Arrivals { get; set; }

    /// <summary>No reading is older; milliseconds since the Unix epoch.</summary>
    public long Floor { get; set; } = long.MinValue;

    /// <summary>The number of each topic.</summary>
    public SeriesNumbers Series { get; } = new();

    public QuarantineIndex Quarantine { get; }

    public FeedSessionRows Sessions { get; }

    /// <summary>Whether the server does without the disk.</summary>
    public bool IsVolatile { get; private set; }

    /// <summary>Connects, takes the lock, and reads what there is.</summary>
    public static async Task<OwnedDatabase> OpenAsync(NpgsqlDataSource source, PostgresAddress address, DatabaseOwner owner, StoreOptions options, CancellationToken cancellationToken)
    {
        var database = new OwnedDatabase(await source.OpenConnectionAsync(cancellationToken), options);
        try
        {
            await using (var settings = new NpgsqlCommand(Settings, database.Connection))
                await settings.ExecuteNonQueryAsync(cancellationToken);
            await database.CheckServerAsync(address, cancellationToken);
            await owner.TakeLockAsync(database.Connection, cancellationToken);
            await PostgresSchema.PrepareAsync(database.Connection, address, cancellationToken);
            await database.LoadAsync(cancellationToken);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Makes an owner the one who commits from now on.</summary>
    public async Task ClaimAsync(DatabaseOwner owner, CancellationToken cancellationToken)
    {
        await using var claim = new NpgsqlCommand("UPDATE meanwhile SET owner = $1, commits = 0", Connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = owner.Name } } };
        await claim.ExecuteNonQueryAsync(cancellationToken);
        (LastOwner, Commits) = (owner.Name, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => Connection.Dispose();

    private async Task CheckServerAsync(PostgresAddress address, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Facts, Connection);
        await using var facts = await command.ExecuteReaderAsync(cancellationToken);
        await facts.ReadAsync(cancellationToken);
        if (facts.GetInt32(0) < 150_000)
            throw new StoreException($"{address} is version {facts.GetInt32(0) / 10_000}: expected PostgreSQL 15 or later", mayHeal: false);
        if (facts.GetString(1) != "UTF8")
            throw new StoreException($"{address} is encoded in {facts.GetString(1)}: expected a database made with ENCODING 'UTF8', as topics are", mayHeal: false);
        if (facts.GetBoolean(2))
            throw new StoreException($"{address}: no schema of the search path exists: make one with CREATE SCHEMA", mayHeal: false);
        if (facts.GetBoolean(3))
            throw new StoreException($"{address}: the server is a standby, and takes no writes", mayHeal: true);
        IsVolatile = facts.GetBoolean(4);
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(Connection)
        {
            BatchCommands =
            {
                new("SELECT owner, commits, arrivals FROM meanwhile"),
                new("SELECT topic, id, (SELECT MAX(epochtime) FROM messages) FROM series"),
                new("SELECT id, arrived, octet_length(payload) FROM quarantine ORDER BY id"),
                Sessions.Query(),
            },
        };
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            (LastOwner, Commits, Arrivals) = (rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            Series.Load(rows.GetString(0), rows.GetInt32(1), rows.IsDBNull(2) ? long.MinValue : EpochTime.Milliseconds(rows.GetDouble(2)));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            Quarantine.Add(new(rows.GetInt64(0), EpochTime.Milliseconds(rows.GetDouble(1)), rows.GetInt32(2)));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            Sessions.Load(rows);
    }
}
