using Meanwhile.Trials;
using Meanwhile.Trials.Benchmarking;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Path.Bench;

/// <summary>The program that is measured, and its load.</summary>
internal static class Aggregate
{
    /// <summary>Its topics are below this one.</summary>
    public const string Topic = "DATA";

    /// <summary>Starts it, and waits until it takes readings in.</summary>
    public static async Task<ChildProcess> StartAsync(string program, string folder, string broker, params string[] more)
    {
        var ready = System.IO.Path.Combine(folder, "ready");
        var process = ChildProcess.StartMeanwhile(
            program, System.IO.Path.Combine(folder, "log"),
            ["aggregate", "--broker", broker, "--topic", PublishTemplate.FilterOf(Topic), "--db", System.IO.Path.Combine(folder, "test.db"), "--ready-file", ready, .. more]);
        while (!File.Exists(ready))
        {
            if (process.HasExited)
                throw new TrialException($"{program} has ended ({process.Ending})");
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
        }
        return process;
    }

    /// <summary>Connects one publisher at QoS 1.</summary>
    public static Task<LoadGenerator> LoadAsync(int port, int series) => LoadGenerator.ConnectAsync(
        Target.Local(port), new LoadOptions(Topic, Publishers: 1, series, Qos: 1, InFlight: 500, PublishTemplate.LeastBytes), TimeProvider.System, CancellationToken.None);

    /// <summary>Publishes so many messages, to each series in turn, and returns when they are acknowledged.</summary>
    public static async Task PublishAllAsync(this LoadGenerator load, int messages)
    {
        await load.PublishAsync(messages, CancellationToken.None);
        await load.DrainAsync(CancellationToken.None);
    }
}
