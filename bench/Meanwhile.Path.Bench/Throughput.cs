using Meanwhile.Bench;
using Microsoft.Data.Sqlite;

namespace Meanwhile.Path.Bench;

/// <summary>The same messages through the same mosquitto, to the bare acknowledger and to ours, in turn.</summary>
internal static class Throughput
{
    private const int WarmUp = 20_000;
    private const long PositionsASecond = (1 << 22) - 1;

    private sealed record Run(double Rate, double CpuMicroseconds, double BrokerCpuMicroseconds);

    /// <summary>Prints each run, and the medians with their ratio to the bare acknowledger's.</summary>
    public static async Task RunAsync(int messages, int rounds, int inFlight, string[] programs)
    {
        var folder = Directory.CreateTempSubdirectory("path-bench").FullName;
        using var mosquitto = await Mosquitto.StartAsync(folder, inFlight);
        await using var load = await Load.StartAsync(mosquitto.Port);
        string[] contenders = ["bare", .. programs];
        var runs = contenders.ToDictionary(c => c, _ => new List<Run>(), StringComparer.Ordinal);
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var contender in contenders)
            {
                var run = contender == "bare"
                    ? await BareAsync(mosquitto, load, messages)
                    : await AggregateAsync(mosquitto, load, messages, contender, System.IO.Path.Combine(folder, Guid.NewGuid().ToString("N")));
                if (round > 0) // The first round warms everybody up.
                    runs[contender].Add(run);
                Console.WriteLine($"{round} {contender}: {run.Rate:0}/s, CPU {run.CpuMicroseconds:0.0} µs a message, mosquitto's {run.BrokerCpuMicroseconds:0.0} µs");
            }
        }
        var bare = Median(runs["bare"], r => r.Rate);
        foreach (var (contender, list) in runs)
        {
            Console.WriteLine($"median {contender}: {Median(list, r => r.Rate):0}/s ({Median(list, r => r.Rate) / bare:P0} of bare), "
                + $"CPU {Median(list, r => r.CpuMicroseconds):0.0} µs, mosquitto's {Median(list, r => r.BrokerCpuMicroseconds):0.0} µs");
        }
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<Run> BareAsync(Mosquitto mosquitto, Load load, int messages)
    {
        using var bare = new Child(Environment.ProcessPath!, "bare", $"{mosquitto.Port}", $"{WarmUp}", $"{WarmUp + messages}");
        await bare.SaysAsync("ready");
        return await MeasureAsync(mosquitto, load, messages, bare, (count, _) => bare.SaysAsync(count == WarmUp ? "warm" : "done"));
    }

    private static async Task<Run> AggregateAsync(Mosquitto mosquitto, Load load, int messages, string program, string database)
    {
        using var aggregate = new Child(program, "aggregate", "--broker", $"127.0.0.1:{mosquitto.Port}", "--db", database, "--client-id", Guid.NewGuid().ToString("N"));
        await aggregate.SaysAsync("subscribed");
        await using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync();
        await using var newest = connection.CreateCommand();
        newest.CommandText = "SELECT position, epochtime FROM messages ORDER BY position DESC LIMIT 1"; // Positions count up within a second.
        return await MeasureAsync(mosquitto, load, messages, aggregate, (count, seconds) => aggregate.WaitAsync(() => Committed(newest, seconds) >= count));
    }

    private static long Committed(SqliteCommand newest, long seconds)
    {
        using var row = newest.ExecuteReader();
        return row.Read() && !row.IsDBNull(0) && row.GetInt64(1) == seconds ? (row.GetInt64(0) & PositionsASecond) + 1 : 0;
    }

    // The start of the runtime and its compiler is left out: what is asked is what a message costs.
    private static async Task<Run> MeasureAsync(Mosquitto mosquitto, Load load, int messages, Child contender, Func<int, long, Task> finished)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await Task.WhenAll(load.PublishAsync(WarmUp, now), finished(WarmUp, now));
        var (cpu, brokerCpu, start) = (contender.CpuSeconds(), mosquitto.Process.CpuSeconds(), TimeProvider.System.GetTimestamp());
        await Task.WhenAll(load.PublishAsync(messages, now + 1), finished(messages, now + 1));
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        return new Run(messages / seconds, Micro(contender.CpuSeconds() - cpu), Micro(mosquitto.Process.CpuSeconds() - brokerCpu));

        double Micro(double total) => total * 1e6 / messages;
    }

    private static double Median(List<Run> runs, Func<Run, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);
}
