using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Verification;

/// <summary>A mosquitto of a trial's own, on a free port of this machine, which keeps all it has accepted when it is asked to stop.</summary>
internal sealed class Mosquitto : IDisposable
{
    // After a restart mosquitto 2.0 knows of no more of them than this that it has sent PUBREL, and sends the others' PUBLISH again; 65,535 means none
    // to it (docs/testing.md).
    private const ushort MostInFlight = 65_534;

    private readonly string _program;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private ChildProcess? _process;

    /// <summary>One that is not started yet.</summary>
    /// <param name="folder">For its configuration and its queues.</param>
    /// <exception cref="UserException">It is not installed.</exception>
    public Mosquitto(string folder, TimeProvider time)
    {
        // Daemons are found even where PATH leaves them out.
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
        _program = folders.Select(place => Path.Combine(place, "mosquitto")).FirstOrDefault(File.Exists)
            ?? throw new UserException("mosquitto is not installed: install it, or choose --broker embedded, or the address of a running broker");
        (_folder, _time) = (folder, time);
        File.WriteAllLines(Configuration,
        [
            $"listener {Port} {IPAddress.Loopback}", "allow_anonymous true", "persistence true", $"persistence_location {folder}/", "max_queued_messages 0",
            $"max_inflight_messages {MostInFlight}",
            .. Environment.IsPrivilegedProcess ? ["user root"] : (string[])[], // It would give up the right to its folder.
        ]);
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; } = Loopback.FreePort();

    private string Configuration => Path.Combine(_folder, "mosquitto.conf");

    /// <summary>Starts it, and waits until it listens.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        _process = ChildProcess.Start(_program, Path.Combine(_folder, "mosquitto.log"), ["-c", Configuration]);
        while (!await ListensAsync(stop))
        {
            if (_process.HasExited)
                throw new UserException($"mosquitto does not start ({_process.Ending}): see {_folder}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), _time, stop);
        }
    }

    /// <summary>Stops it in good order: one that is killed loses what it has not written yet, and that would be its own affair.</summary>
    public async Task StopAsync(CancellationToken stop)
    {
        await _process!.StopAsync(stop);
        _process.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _process?.Dispose();

    private async Task<bool> ListensAsync(CancellationToken stop)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Port, stop);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>This machine, as seen by itself.</summary>
internal static class Loopback
{
    /// <summary>A port on which nobody listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
