using Meanwhile.Trials.Benchmarking;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Mqtt.Bench;

/// <summary>A thousand publishers with one reading under way each: from the sending to PUBACK, which comes after the commit; and what the disk takes meanwhile.</summary>
internal static class Latency
{
    private const int Publishers = 1000;
    private const int BufferSize = 16 * 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Prints the medians of each round.</summary>
    public static async Task RunAsync(string program, TimeSpan duration, int rounds)
    {
        using var folder = new Folder();
        using var disk = new Disk(Path.Combine(folder.Path, "sync"), TimeProvider.System);
        for (var round = 0; round < rounds; round++)
        {
            var alone = await SyncAsync(disk, duration / 4);
            using (var broker = await Broker.AggregateAsync(program, folder.Path, Loopback.FreePort()))
            {
                List<double> meanwhile = [];
                var syncing = Task.CompletedTask;
                var (times, result) = await MeasureAsync(broker, duration, () => syncing = Task.Run(async () => meanwhile = await SyncAsync(disk, duration)));
                await syncing;
                Console.WriteLine($"PUBACK: {Text(times)}; {Text(result)}; fdatasync before: {Text(alone)}, meanwhile: {Text(meanwhile)}");
            }
            using var answering = await Broker.AnsweringAsync(folder.Path, Publishers);
            var floor = await MeasureAsync(answering, duration, () => { });
            Console.WriteLine($"    answers without a broker and a commit: {Text(floor.Times)}; {Text(floor.Result)}");
        }
    }

    private static async Task<(List<double> Times, Result Result)> MeasureAsync(Broker broker, TimeSpan duration, Action began)
    {
        List<double> times = [];
        var isMeasured = false;
        List<PublishingPeer> peers = [.. Enumerable.Range(0, Publishers).Select(i => new PublishingPeer(broker.Port, $"publisher{i}", 1, 1, BufferSize) { Took = Note })];
        var result = await ClientLoop.MeasureAsync(broker, peers, duration, () => peers.Sum(peer => peer.Acknowledged), () =>
        {
            isMeasured = true;
            began();
        });
        return (times, result);

        void Note(long ticks)
        {
            if (isMeasured)
                times.Add(Milliseconds(ticks));
        }
    }

    private static async Task<List<double>> SyncAsync(Disk disk, TimeSpan duration)
    {
        List<double> times = [];
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < duration;)
        {
            times.Add(disk.Sync(rows: 1).TotalMilliseconds);
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
        return times;
    }

    private static string Text(List<double> times)
    {
        times.Sort();
        return $"median {times[times.Count / 2]:F3} ms, p99 {times[times.Count * 99 / 100]:F3} ms";
    }

    private static string Text(Result result) => $"{result.Rate:N0}/s, {result.Cost:F1} µs CPU a message (load {result.LoadCost:F1} µs)";

    private static double Milliseconds(long ticks) => ticks * 1000.0 / TimeProvider.System.TimestampFrequency;
}
