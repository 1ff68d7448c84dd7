using Meanwhile.Stores;
using Meanwhile.Stores.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Meanwhile.Benchmarking;

/// <summary>Stores for the time of a benchmark: files beside the one that was named, or schemas of the database that was named.</summary>
internal sealed class ScratchStores(BenchOptions options, ILogger logger, TimeProvider time) : IAsyncDisposable
{
    private const int BatchRows = 4096;
    private readonly string _schema = $"bench_{Guid.NewGuid():n}"[..14];
    private readonly List<string> _made = [];

    /// <summary>A new one, empty.</summary>
    public async Task<string> NewAsync(CancellationToken stop)
    {
        var number = _made.Count + 1;
        if (options.HasFile)
        {
            var file = options.Database ?? Path.Combine(options.Folder, "bench.db");
            _made.Add(number == 1 ? file : $"{file}-{number}");
            return _made[^1];
        }
        _made.Add($"{_schema}_{number}");
        await ExecuteAsync($"CREATE SCHEMA {_made[^1]}", stop);
        return $"{options.Database}{(options.Database!.Contains('?', StringComparison.Ordinal) ? '&' : '?')}options=-csearch_path%3D{_made[^1]}";
    }

    /// <summary>Lets a store have rows, whose times are evenly over the last 35 minutes: the newest five sevenths in the first series, the others, which leave soon, in one that nobody publishes to.</summary>
    /// <returns>How many are in the first series, each with the number 1.</returns>
    public async Task<int> FillAsync(string name, string topic, long rows, CancellationToken stop)
    {
        if (rows == 0)
            return 0;
        using var store = await Store.OpenAsync(name, new StoreOptions("bench", topic), logger, time, stop);
        var (batch, now, first) = (new Batch(), time.GetUtcNow().ToUnixTimeMilliseconds() - 1000, 0);
        var (kept, leaving) = (PublishTemplate.TopicOf(topic, 0), PublishTemplate.TopicOf(topic, 9_999_999));
        for (var i = 0L; i < rows; i++)
        {
            var isLeaving = i < rows * 2 / 7;
            first += isLeaving ? 0 : 1;
            batch.Readings.Add(new Reading(isLeaving ? leaving : kept, now - (long)((rows - i) * (2_090_000.0 / rows)), 1));
            if (batch.Readings.Count < BatchRows && i < rows - 1)
                continue;
            await store.CommitAsync(batch, new Cutoff(0, 0), stop);
            batch.Clear();
        }
        return first;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var made in _made)
        {
            if (options.HasFile)
                Delete(made);
            else
                await ExecuteAsync($"DROP SCHEMA {made} CASCADE", CancellationToken.None);
        }
    }

    private static void Delete(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
            return;
        foreach (var suffix in new[] { "", "-wal", "-shm", ".lock", ".holder", ".broker", ".broker-wal", ".broker-shm", ".broker.lock", ".broker.holder" })
            File.Delete(path + suffix);
    }

    private async Task ExecuteAsync(string sql, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(PostgresAddress.Parse(options.Database!).Connection.ConnectionString);
        try
        {
            await connection.OpenAsync(stop);
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(stop);
        }
        catch (NpgsqlException e)
        {
            throw new UserException($"{Store.Describe(options.Database!)}: {sql.Split(' ', 3)[0]} SCHEMA fails ({e.Message}): expected a database in which this user may make schemas", inner: e);
        }
    }
}
