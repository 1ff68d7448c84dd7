using System.Globalization;

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
        string[] topics = [.. Enumerable.Range(0, series).Select(i => $"DATA/{i}")];
        using (var aggregate = new Child(
            program, "aggregate", "--broker", "embedded://127.0.0.1:0", "--topic", "DATA/#", "--http", "127.0.0.1:0", "--db", System.IO.Path.Combine(folder, "watched.db")))
        {
            await aggregate.SaysAsync("read back");
            await using var load = await Load.StartAsync(int.Parse(aggregate.Said(" 127.0.0.1:", ": the embedded broker"), CultureInfo.InvariantCulture), topics);
            using var http = new HttpClient { BaseAddress = new Uri("http://" + aggregate.Said("http://", "/")) };
            await load.PublishAsync(WarmUp, Now());
            Dictionary<bool, List<Run>> runs = new() { [false] = [], [true] = [] };
            for (var round = 0; round < rounds; round++)
            {
                foreach (var isWatched in new[] { round % 2 == 1, round % 2 == 0 }) // Who comes first takes turns as well.
                {
                    await using var watcher = isWatched ? await Watcher.StartAsync(http, topics[0]) : null;
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

    private static async Task<Run> MeasureAsync(Child aggregate, Load load, int messages)
    {
        var (cpu, start) = (aggregate.CpuSeconds(), TimeProvider.System.GetTimestamp());
        await load.PublishAsync(messages, Now());
        return new Run(messages / TimeProvider.System.GetElapsedTime(start).TotalSeconds, (aggregate.CpuSeconds() - cpu) * 1e6 / messages);
    }

    private static string Name(bool isWatched) => isWatched ? "watched" : "alone";

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static double Median(List<Run> runs, Func<Run, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);
}
