using Meanwhile.Trials.Processes;

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
        using var mosquitto = new MosquittoProcess(folder, TimeProvider.System, "max_inflight_messages 0");
        await mosquitto.StartAsync(CancellationToken.None);
        using var load = await Aggregate.LoadAsync(mosquitto.Port, series: 1);
        using var aggregate = await Aggregate.StartAsync(program, folder, $"127.0.0.1:{mosquitto.Port}");
        var (start, shown, sent) = (TimeProvider.System.GetTimestamp(), 0, 0L);
        while (TimeProvider.System.GetElapsedTime(start) is var elapsed && elapsed.TotalSeconds < seconds)
        {
            await load.PublishAllAsync(Chunk);
            sent += Chunk;
            if (elapsed < Interval * (shown + 1))
                continue;
            shown++;
            Console.WriteLine($"{elapsed.TotalSeconds:0} s: {sent:N0} messages, {aggregate.ResidentBytes >> 20} MiB (mosquitto {mosquitto.Process.ResidentBytes >> 20} MiB)");
        }
        Directory.Delete(folder, recursive: true);
    }
}
