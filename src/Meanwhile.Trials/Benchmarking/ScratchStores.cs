using System.Globalization;
using Meanwhile.Trials.Processes;
using Npgsql;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Stores for the time of a benchmark: files beside the one that was named, or schemas of the database that was named.</summary>
internal sealed class ScratchStores(BenchOptions options, TimeProvider time) : IAsyncDisposable
{
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
    /// <param name="program">The build of meanwhile that imports them; null for this one.</param>
    /// <returns>How many are in the first series, each with the number 1.</returns>
    public async Task<int> FillAsync(string? program, string name, string topic, long rows, CancellationToken stop)
    {
        if (rows == 0)
            return 0;
        var file = Path.Combine(options.Folder, "rows.csv");
        var kept = await WriteRowsAsync(file, topic, rows, stop);
        // Windows of an hour, for which the oldest are not too old.
        using var import = ChildProcess.StartMeanwhile(program, Path.Combine(options.Folder, "import.log"), ["import", file, "--db", name, "--windows", "1h"]);
        if (await import.ExitAsync(stop) != 0)
            throw new TrialException($"rows cannot be imported into a new store ({import.Ending})");
        File.Delete(file);
        return kept;
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

    private async Task<int> WriteRowsAsync(string file, string topic, long rows, CancellationToken stop)
    {
        await using var csv = new StreamWriter(file);
        await csv.WriteLineAsync("topic,number,epochtime");
        var (now, first) = (time.GetUtcNow().ToUnixTimeMilliseconds() - 1000, 0);
        var (kept, leaving) = (PublishTemplate.TopicOf(topic, 0), PublishTemplate.TopicOf(topic, 9_999_999));
        for (var i = 0L; i < rows; i++)
        {
            stop.ThrowIfCancellationRequested();
            var isLeaving = i < rows * 2 / 7;
            first += isLeaving ? 0 : 1;
            var seconds = (now - (long)((rows - i) * (2_090_000.0 / rows))) / 1000m;
            await csv.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{(isLeaving ? leaving : kept)},1,{seconds}"));
        }
        return first;
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
        await using var connection = new NpgsqlConnection(options.DatabaseServer);
        try
        {
            await connection.OpenAsync(stop);
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(stop);
        }
        catch (NpgsqlException e)
        {
            throw new TrialException($"{options.Database}: {sql.Split(' ', 3)[0]} SCHEMA fails ({e.Message}): expected a database in which this user may make schemas", inner: e);
        }
    }
}
