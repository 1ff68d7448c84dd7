using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Bench;

/// <summary>A mosquitto of our own on a free port, its queues in memory.</summary>
internal sealed class Mosquitto : IDisposable
{
    private Mosquitto(string configuration) => Process = new Child("/usr/sbin/mosquitto", "-c", configuration);

    /// <summary>For what it costs.</summary>
    public Child Process { get; }

    /// <summary>Where it listens.</summary>
    public int Port { get; private init; }

    /// <summary>Starts it.</summary>
    /// <param name="folder">For its configuration.</param>
    /// <param name="inFlight">Messages that it sends to a subscriber without an answer; 0 for as many as the subscriber takes.</param>
    /// <param name="noDelay">Whether it sends at once what is small, or waits for the answer to what it has sent before (Nagle), as it does by default.</param>
    public static async Task<Mosquitto> StartAsync(string folder, int inFlight, bool noDelay = false)
    {
        var port = FreePort();
        var configuration = System.IO.Path.Combine(folder, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration,
            $"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages {inFlight}\n"
            + $"set_tcp_nodelay {(noDelay ? "true" : "false")}\nlog_dest none\n");
        var mosquitto = new Mosquitto(configuration) { Port = port };
        await mosquitto.Process.WaitAsync(() => Answers(port));
        return mosquitto;
    }

    /// <inheritdoc/>
    public void Dispose() => Process.Dispose();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool Answers(int port)
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
