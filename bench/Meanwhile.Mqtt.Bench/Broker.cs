using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Meanwhile.Bench;

namespace Meanwhile.Mqtt.Bench;

/// <summary>A broker in a process of its own, so that its processor time and its memory are its own as well.</summary>
internal sealed class Broker : IDisposable
{
    private readonly IDisposable _owner;

    private Broker(string name, int port, Child process, IDisposable owner) => (Name, Port, Process, _owner) = (name, port, process, owner);

    /// <summary>Which it is.</summary>
    public string Name { get; }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>What it costs.</summary>
    public Child Process { get; }

    /// <summary>Starts <c>meanwhile broker</c>.</summary>
    public static async Task<Broker> OursAsync(string program, string folder)
    {
        var port = FreePort();
        return await StartAsync("ours", port, new Child(program, "broker", "--listen", $"127.0.0.1:{port}", "--db", Path.Combine(folder, $"{Guid.NewGuid():N}.db")), "listening");
    }

    /// <summary>Starts <c>meanwhile aggregate</c> with the embedded broker.</summary>
    /// <param name="program">The program.</param>
    /// <param name="database">Where the readings are committed.</param>
    /// <param name="httpPort">Where it shows its figures.</param>
    public static async Task<Broker> AggregateAsync(string program, string database, int httpPort)
    {
        var port = FreePort();
        return await StartAsync("ours", port, new Child(program, "aggregate", "--broker", $"embedded://127.0.0.1:{port}", "--db", database, "--http", $"127.0.0.1:{httpPort}"), "listening");
    }

    /// <summary>Starts mosquitto, without limits of its own on what is in flight or queued, and without a disk.</summary>
    public static async Task<Broker> MosquittoAsync(string folder)
    {
        var mosquitto = await Mosquitto.StartAsync(folder, inFlight: 0);
        return new Broker("mosquitto", mosquitto.Port, mosquitto.Process, mosquitto);
    }

    /// <summary>Starts MQTTnet's server, in this program.</summary>
    public static async Task<Broker> MqttNetAsync()
    {
        var port = FreePort();
        return await StartAsync("MQTTnet", port, new Child(Environment.ProcessPath!, "mqttnet", port.ToString(CultureInfo.InvariantCulture)), "listening");
    }

    /// <summary>Starts what acknowledges and does nothing else, for so many connections, in this program.</summary>
    public static async Task<Broker> AnsweringAsync(int connections)
    {
        var port = FreePort();
        var culture = CultureInfo.InvariantCulture;
        return await StartAsync("answers alone", port, new Child(Environment.ProcessPath!, "answer", port.ToString(culture), connections.ToString(culture)), "listening");
    }

    /// <summary>A port that nobody uses.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <inheritdoc/>
    public void Dispose() => _owner.Dispose();

    private static async Task<Broker> StartAsync(string name, int port, Child process, string ready)
    {
        await process.SaysAsync(ready);
        return new Broker(name, port, process, process);
    }
}
