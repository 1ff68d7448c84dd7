using System.Globalization;
using Meanwhile.Bench;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Mqtt.Bench;

/// <summary>Readings at QoS 1, acknowledged after their commit; beside mosquitto without a disk, and beside the disk without a broker.</summary>
internal static class Ingest
{
    private const int Publishers = 8;
    private const int InFlight = 1000;
    private const long BareRows = 1_000_000;

    /// <summary>Measures one after the other.</summary>
    public static async Task RunAsync(string program, TimeSpan duration, int rounds)
    {
        using var folder = new Folder();
        using var mosquitto = await Broker.MosquittoAsync(folder.Path);
        var report = new Report();
        for (var round = 0; round < rounds; round++)
        {
            var (many, batch) = await OursAsync(program, folder.Path, Publishers, duration);
            report.Add("ours, 8 publishers", many);
            report.Add("bare loop, the same batches", Bare(Path.Combine(folder.Path, $"bare{round}.db"), batch));
            report.Add("mosquitto, 8 publishers", await MeasureAsync(mosquitto, Publishers, duration));
            report.Add("ours, 1 publisher", (await OursAsync(program, folder.Path, 1, duration)).Result);
            Console.Error.Write($"{batch} a commit ");
        }
        report.Print("publish at QoS 1, acknowledged after the commit", "mosquitto, 8 publishers");
        report.Print("the same", "bare loop, the same batches");
    }

    private static async Task<(Result Result, int Batch)> OursAsync(string program, string folder, int publishers, TimeSpan duration)
    {
        var httpPort = Loopback.FreePort();
        using var broker = await Broker.AggregateAsync(program, folder, httpPort);
        var result = await MeasureAsync(broker, publishers, duration);
        return (result, await BatchAsync(httpPort));
    }

    private static Task<Result> MeasureAsync(Broker broker, int publishers, TimeSpan duration)
    {
        List<PublishingPeer> peers = [.. Enumerable.Range(0, publishers).Select(i => new PublishingPeer(broker.Port, $"publisher{i}", 1, InFlight))];
        return ClientLoop.MeasureAsync(broker, peers, duration, () => peers.Sum(peer => peer.Acknowledged));
    }

    // How many readings a commit had, on average.
    private static async Task<int> BatchAsync(int httpPort)
    {
        using var client = new HttpClient();
        var lines = (await client.GetStringAsync(new Uri($"http://127.0.0.1:{httpPort}/metrics"))).Split('\n');
        return (int)(Value("meanwhile_commit_deliveries_sum") / Value("meanwhile_commit_deliveries_count"));

        double Value(string name) => double.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private static Result Bare(string path, int batch)
    {
        var run = BareLoop.Measure(path, BareRows, batch);
        return new Result(run.Rate, run.CpuPerReading, 0);
    }
}
