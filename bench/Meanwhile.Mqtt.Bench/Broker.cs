using System.Globalization;
using Meanwhile.Trials;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Mqtt.Bench;

/// <summary>A broker in a process of its own, so that its processor time and its memory are its own as well.</summary>
internal sealed class Broker : IDisposable
{
    private readonly IDisposable _owner;

    private Broker(string name, int port, ChildProcess process, IDisposable owner) => (Name, Port, Process, _owner) = (name, port, process, owner);

    /// <summary>Which it is.</summary>
    public string Name { get; }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>What it costs.</summary>
    public ChildProcess Process { get; }

    /// <summary>Starts <c>meanwhile broker</c>.</summary>
    public static async Task<Broker> OursAsync(string program, string folder)
    {
        var port = Loopback.FreePort();
        return await StartAsync("ours", port, program, folder, "broker", "--listen", $"127.0.0.1:{port}", "--db", Path.Combine(folder, $"{Guid.NewGuid():N}.db"));
    }

    /// <summary>Starts <c>meanwhile aggregate</c> with the embedded broker.</summary>
    /// <param name="program">The program.</param>
    /// <param name="folder">Where the readings are committed.</param>
    /// <param name="httpPort">Where it shows its figures.</param>
    public static async Task<Broker> AggregateAsync(string program, string folder, int httpPort)
    {
        var port = Loopback.FreePort();
        return await StartAsync(
            "ours", port, program, folder, "aggregate", "--broker", $"embedded://127.0.0.1:{port}", "--db", Path.Combine(folder, $"{Guid.NewGuid():N}.db"), "--http", $"127.0.0.1:{httpPort}");
    }

    /// <summary>Starts mosquitto, without limits of its own on what is in flight or queued, and without a disk.</summary>
    public static async Task<Broker> MosquittoAsync(string folder)
    {
        var mosquitto = new MosquittoProcess(folder, TimeProvider.System, "max_inflight_messages 0");
        await mosquitto.StartAsync(CancellationToken.None);
        return new Broker("mosquitto", mosquitto.Port, mosquitto.Process, mosquitto);
    }

    /// <summary>Starts MQTTnet's server, in this program.</summary>
    public static Task<Broker> MqttNetAsync(string folder) => StartOwnAsync("MQTTnet", folder, "mqttnet");

    /// <summary>Starts what acknowledges and does nothing else, for so many connections, in this program.</summary>
    public static Task<Broker> AnsweringAsync(string folder, int connections) => StartOwnAsync("answers alone", folder, "answer", connections.ToString(CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public void Dispose() => _owner.Dispose();

    private static Task<Broker> StartOwnAsync(string name, string folder, string part, params string[] arguments)
    {
        var port = Loopback.FreePort();
        return StartAsync(name, port, Environment.ProcessPath!, folder, [part, port.ToString(CultureInfo.InvariantCulture), .. arguments]);
    }

    private static async Task<Broker> StartAsync(string name, int port, string program, string folder, params string[] arguments)
    {
        var log = Path.Combine(folder, $"{port}.log");
        var process = ChildProcess.Start(program, log, arguments);
        while (!(await File.ReadAllTextAsync(log)).Contains("listening", StringComparison.Ordinal))
        {
            if (process.HasExited)
                throw new TrialException($"{program} has ended ({process.Ending})");
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
        }
        return new Broker(name, port, process, process);
    }
}
