using System.Net;

namespace Meanwhile.Trials.Processes;

/// <summary>A mosquitto of our own, on a free port of this machine, without a limit of its own on what is queued.</summary>
internal sealed class MosquittoProcess : IDisposable
{
    // After a restart mosquitto 2.0 knows of no more of them than this that it has sent PUBREL, and sends the others' PUBLISH again; 65,535 means none
    // to it (docs/testing.md).
    private const ushort MostInFlight = 65_534;

    private readonly string _program;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private ChildProcess? _process;

    /// <summary>One that is not started yet.</summary>
    /// <param name="folder">For its configuration and its log.</param>
    /// <param name="settings">Further lines of its configuration.</param>
    /// <exception cref="TrialException">It is not installed.</exception>
    public MosquittoProcess(string folder, TimeProvider time, params IEnumerable<string> settings)
    {
        _program = InstalledProgram.Find("mosquitto")
            ?? throw new TrialException("mosquitto is not installed: install it, or choose --broker embedded, or the address of a running broker");
        (_folder, _time) = (folder, time);
        File.WriteAllLines(Configuration,
        [
            $"listener {Port} {IPAddress.Loopback}", "allow_anonymous true", "max_queued_messages 0", .. settings,
            .. Environment.IsPrivilegedProcess ? ["user root"] : (string[])[], // It would give up the right to its folder.
        ]);
    }

    /// <summary>For what it costs; there once it is started.</summary>
    public ChildProcess Process => _process!;

    /// <summary>Where it listens.</summary>
    public int Port { get; } = Loopback.FreePort();

    /// <summary>Settings with which it keeps all it has accepted when it is asked to stop.</summary>
    public static string[] Durable(string folder) => ["persistence true", $"persistence_location {folder}/", $"max_inflight_messages {MostInFlight}"];

    private string Configuration => Path.Combine(_folder, "mosquitto.conf");

    /// <summary>Starts it, and waits until it listens.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        _process = ChildProcess.Start(_program, Path.Combine(_folder, "mosquitto.log"), ["-c", Configuration]);
        while (!await Loopback.ListensAsync(Port, stop))
        {
            if (_process.HasExited)
                throw new TrialException($"mosquitto does not start ({_process.Ending}): see {_folder}");
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
}
