using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Tests.Support;

/// <summary>A mosquitto of the test's own, on a free loopback port, that loses nothing it has accepted when it is asked to stop.</summary>
internal sealed class MosquittoServer : IDisposable
{
    private readonly string _folder;
    private readonly string _program;
    private RunningProgram? _process;
    private string _earlier = "";

    private MosquittoServer(string folder, string program, string extra)
    {
        (_folder, _program) = (folder, program);
        var settings = extra.Contains("listener", StringComparison.Ordinal) ? "" : $"listener {Port} 127.0.0.1\n";
        File.WriteAllText(Path.Combine(folder, "mosquitto.conf"),
            $"{settings}{extra.Replace("PORT", Port.ToString(), StringComparison.Ordinal)}\npersistence true\npersistence_location {folder}/\nmax_queued_messages 0\nuser root\n"
            + (extra.Contains("allow_anonymous", StringComparison.Ordinal) ? "" : "allow_anonymous true\n"));
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; } = FreePort();

    /// <summary>As the setting BROKER names it.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Its log since the first start, with log_type all.</summary>
    public string Log => _earlier + _process?.Error;

    /// <summary>Starts one, or skips the test where there is none.</summary>
    /// <param name="folder">For its configuration and its queues.</param>
    /// <param name="extra">Lines of its configuration; PORT stands for the port.</param>
    public static async Task<MosquittoServer> StartAsync(string folder, string extra = "")
    {
        var server = new MosquittoServer(folder, Peers.RequireProgram("mosquitto"), extra);
        await server.StartAsync();
        return server;
    }

    /// <summary>A port on which nobody listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until it has said something.</summary>
    public Task SaysAsync(string text) => _process!.SaysAsync(text);

    /// <summary>Starts it, or starts it again.</summary>
    public async Task StartAsync()
    {
        _process = RunningProgram.Start(_program, _folder, ["-v", "-c", Path.Combine(_folder, "mosquitto.conf")]);
        await _process.WaitAsync(Answers, "mosquitto listens");
    }

    /// <summary>Stops it in good order.</summary>
    public async Task StopAsync()
    {
        await _process!.TerminateAsync();
        Ended();
    }

    /// <summary>Ends it at once: what it has not written yet is lost.</summary>
    public async Task KillAsync()
    {
        await _process!.KillAsync();
        Ended();
    }

    public void Dispose() => _process?.Dispose();

    private void Ended()
    {
        _earlier = Log;
        _process?.Dispose();
        _process = null;
    }

    private bool Answers()
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
