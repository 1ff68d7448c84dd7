using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>Reads a database beside its owner, whose lock it neither needs nor takes: what it reads is of one moment, however long it takes.</summary>
internal sealed class PostgresReader : IStoreReader
{
    private readonly NpgsqlConnection _connection;
    private readonly RowReader _rows;

    private PostgresReader(NpgsqlConnection connection, PostgresAddress address, string unnamedSeries, CancellationToken stop) =>
        (_connection, _rows) = (connection, new RowReader(connection, address, unnamedSeries, stop));

    /// <summary>Connects to a database that is there. Makes nothing.</summary>
    /// <param name="stop">Ends all that is asked of the server, which may never answer.</param>
    /// <exception cref="UserException">It is no aggregator's.</exception>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static PostgresReader Open(PostgresAddress address, string unnamedSeries, CancellationToken stop)
    {
        var connection = PostgresFailure.Guard(() => CancellableWait.ForAsync(BeginAsync(address, stop), stop).GetAwaiter().GetResult(), address);
        return new PostgresReader(connection, address, unnamedSeries, stop);
    }

    /// <inheritdoc/>
    public IEnumerable<Reading> ReadReadings(long from, long to) => _rows.ReadReadings(from, to);

    /// <inheritdoc/>
    public IEnumerable<LeftOut> FindLeftOut() => _rows.FindLeftOut();

    /// <inheritdoc/>
    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) => _rows.ReadQuarantine(newestFirst);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_rows.IsSilent)
            _connection.Dispose();
    }

    private static async Task<NpgsqlConnection> BeginAsync(PostgresAddress address, CancellationToken stop)
    {
        var connection = new NpgsqlConnection(address.Connection.ConnectionString);
        try
        {
            await connection.OpenAsync(stop);
            await using var begin = new NpgsqlCommand("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT to_regclass('meanwhile') IS NOT NULL", connection);
            return await begin.ExecuteScalarAsync(stop) is true
                ? connection
                : throw new UserException($"{address} has no readings: expected the database of an aggregator (DB_FILE)");
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
