using Meanwhile.Trials.Benchmarking;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Path.Bench;

/// <summary>The same load with and without a reader that asks for what the dashboard asks for, in turn, in one process of the program.</summary>
internal static class Watched
{
    private const int WarmUp = 300_000;

    private sealed record Run(double Rate, double CpuMicroseconds);

    /// <summary>Prints each run, and the medians with their ratio.</summary>
    public static async Task RunAsync(int messages, int rounds, int series, string program)
    {
        var folder = Directory.CreateTempSubdirectory("watched-bench").FullName;
        var (port, httpPort) = (Loopback.FreePort(), Loopback.FreePort());
        using (var aggregate = await Aggregate.StartAsync(program, folder, $"embedded://127.0.0.1:{port}", "--http", $"127.0.0.1:{httpPort}"))
        {
            using var load = await Aggregate.LoadAsync(port, series);
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{httpPort}") };
            await load.PublishAllAsync(WarmUp);
            Dictionary<bool, List<Run>> runs = new() { [false] = [], [true] = [] };
            for (var round = 0; round < rounds; round++)
            {
                foreach (var isWatched in new[] { round % 2 == 1, round % 2 == 0 }) // Who comes first takes turns as well.
                {
                    await using var watcher = isWatched ? await Watcher.StartAsync(http, PublishTemplate.TopicOf(Aggregate.Topic, 0)) : null;
                    var run = await MeasureAsync(aggregate, load, messages);
                    runs[isWatched].Add(run);
                    Console.WriteLine($"{round} {Name(isWatched)}: {run.Rate:0}/s, CPU {run.CpuMicroseconds:0.00} µs a message{(watcher is null ? "" : $", read {watcher.Bytes / 1024:0} KiB")}");
                }
            }
            var (alone, watched) = (Median(runs[false], r => r.Rate), Median(runs[true], r => r.Rate));
            Console.WriteLine($"median alone {alone:0}/s, {Median(runs[false], r => r.CpuMicroseconds):0.00} µs; watched {watched:0}/s, {Median(runs[true], r => r.CpuMicroseconds):0.00} µs: {watched / alone - 1:+0.0%;-0.0%}");
        }
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<Run> MeasureAsync(ChildProcess aggregate, LoadGenerator load, int messages)
    {
        var (cpu, start) = (aggregate.ProcessorTime, TimeProvider.System.GetTimestamp());
        await load.PublishAllAsync(messages);
        return new Run(messages / TimeProvider.System.GetElapsedTime(start).TotalSeconds, (aggregate.ProcessorTime - cpu).TotalMicroseconds / messages);
    }

    private static string Name(bool isWatched) => isWatched ? "watched" : "alone";

    private static double Median(List<Run> runs, Func<Run, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);
}
