using Meanwhile.Bench;

namespace Meanwhile.Path.Bench;

/// <summary>What a program that counts one series at full rate, through mosquitto, holds in memory as time passes.</summary>
internal static class Memory
{
    private const int Chunk = 5_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Prints the messages sent and the resident memory twice a minute.</summary>
    public static async Task RunAsync(int seconds, string program)
    {
        var folder = Directory.CreateTempSubdirectory("path-bench").FullName;
        using var mosquitto = await Mosquitto.StartAsync(folder, inFlight: 0);
        await using var load = await Load.StartAsync(mosquitto.Port);
        using var aggregate = new Child(program, "aggregate", "--broker", $"127.0.0.1:{mosquitto.Port}", "--db", System.IO.Path.Combine(folder, "test.db"));
        await aggregate.SaysAsync("subscribed");
        var (start, shown, sent) = (TimeProvider.System.GetTimestamp(), 0, 0L);
        while (TimeProvider.System.GetElapsedTime(start) is var elapsed && elapsed.TotalSeconds < seconds)
        {
            await load.PublishAsync(Chunk, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
            sent += Chunk;
            if (elapsed < Interval * (shown + 1))
                continue;
            shown++;
            Console.WriteLine($"{elapsed.TotalSeconds:0} s: {sent:N0} messages, {aggregate.ResidentMebibytes()} MiB (mosquitto {mosquitto.Process.ResidentMebibytes()} MiB)");
        }
        Directory.Delete(folder, recursive: true);
    }
}
