using Meanwhile.Stores;
using Meanwhile.Stores.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Meanwhile.Postgres.Bench;

/// <summary>A store that keeps a number of rows: a reading each millisecond comes in, and one leaves.</summary>
internal sealed class Table
{
    public const int Batch = 1_000;
    private readonly IStore _store;
    private readonly Batch _batch = new();
    private long _now = 1_700_000_000_000;

    private Table(IStore store, int rows) => (_store, Rows) = (store, rows);

    public int Rows { get; }

    /// <summary>Makes one in a schema of its own, with the rows in it.</summary>
    public static async Task<Table> FillAsync(NpgsqlConnection connection, PostgresAddress address, int rows)
    {
        await using var make = new NpgsqlCommand($"DROP SCHEMA IF EXISTS bench{rows} CASCADE; CREATE SCHEMA bench{rows}", connection);
        await make.ExecuteNonQueryAsync();
        address.Connection.Options = $"-csearch_path=bench{rows}";
        var table = new Table(await PostgresStore.OpenAsync(address, new StoreOptions("bench", "DATA"), NullLogger.Instance, CancellationToken.None), rows);
        for (var filled = 0; filled < rows; filled += Batch)
            await table.CommitAsync();
        return table;
    }

    public async Task CommitAsync()
    {
        _batch.Clear();
        for (var i = 0; i < Batch; i++)
            _batch.Readings.Add(new Reading("DATA", ++_now, i / 3.0));
        await _store.CommitAsync(_batch, new Cutoff(_now - Rows, 0), CancellationToken.None);
    }

    /// <summary>Rows a second.</summary>
    public double ReadBack()
    {
        var start = TimeProvider.System.GetTimestamp();
        var rows = _store.ReadReadings(_now - Rows, long.MaxValue).Count();
        return rows / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }
}
