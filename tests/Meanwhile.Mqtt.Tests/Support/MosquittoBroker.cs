using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A mosquitto of the test's own, on a free loopback port.</summary>
internal sealed class MosquittoBroker : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("meanwhile-mosquitto").FullName;
    private readonly int _port = FreePort();
    private Process _process = null!;

    /// <summary>Where it is.</summary>
    public Uri Address => new($"mqtt://127.0.0.1:{_port}");

    /// <summary>Starts one, or skips the test where there is none.</summary>
    public static async Task<MosquittoBroker> StartAsync()
    {
        var broker = new MosquittoBroker();
        await File.WriteAllTextAsync(Path.Combine(broker._folder, "mosquitto.conf"), $"listener {broker._port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\npersistence_location {broker._folder}/\nmax_queued_messages 0\n");
        await broker.StartAgainAsync();
        return broker;
    }

    /// <summary>Starts it again after <see cref="StopAsync"/>.</summary>
    public async Task StartAgainAsync()
    {
        _process = Peers.Start("mosquitto", "-c", Path.Combine(_folder, "mosquitto.conf"));
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Until.TrueAsync(Answers, () => "mosquitto does not listen", () => _process.HasExited);
    }

    /// <summary>Ends it in good order: it keeps what it has.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", $"-TERM {_process.Id}");
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        _process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private bool Answers()
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A port on which nobody listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
