using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Meanwhile.Mqtt.Broker;
using MQTTnet.Server;

namespace Meanwhile.Mqtt.Bench;

/// <summary>A broker in a process of its own, so that its processor time is its own as well.</summary>
internal sealed class BrokerProcess(string name, IPEndPoint endPoint, Process process) : IDisposable
{
    public string Name { get; } = name;

    public IPEndPoint EndPoint { get; } = endPoint;

    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public static BrokerProcess Running(string address, int pid) => new("other", IPEndPoint.Parse(address), Process.GetProcessById(pid));

    public static BrokerProcess Start(string kind)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["serve", kind]) { RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false })!;
        return new BrokerProcess(kind, new IPEndPoint(IPAddress.Loopback, int.Parse(process.StandardOutput.ReadLine()!)), process);
    }

    /// <summary>What the child does: serves until its standard input ends.</summary>
    public static async Task ServeAsync(string kind)
    {
        if (kind == "mqttnet")
        {
            var port = FreePort();
            var server = new MqttServerFactory().CreateMqttServer(
                new MqttServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointPort(port).WithMaxPendingMessagesPerClient(1_000_000).Build());
            await server.StartAsync();
            await ServeUntilEndAsync(port);
            return;
        }
        await using var broker = await MqttBroker.StartAsync(
            new BrokerOptions { Listeners = [new(new IPEndPoint(IPAddress.Loopback, 0))], Holds = kind == "ours, held" ? static _ => true : null }, CancellationToken.None);
        var completing = CompleteAsync(broker);
        await ServeUntilEndAsync(broker.EndPoints[0].Port);
        await broker.DisposeAsync();
        await completing;
    }

    public void Dispose()
    {
        if (Name != "other")
            process.Kill();
        process.Dispose();
    }

    // A host whose commits take no time.
    private static async Task CompleteAsync(MqttBroker broker)
    {
        var batch = new List<Session.Incoming>();
        while (await broker.Incoming.WaitToReadAsync())
        {
            while (batch.Count < 4096 && broker.Incoming.TryRead(out var incoming))
                batch.Add(incoming);
            broker.Complete(batch);
            batch.Clear();
        }
    }

    private static async Task ServeUntilEndAsync(int port)
    {
        Console.WriteLine(port);
        await Console.In.ReadToEndAsync();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
