using System.Globalization;
using Meanwhile.Access;
using Meanwhile.Processes;

namespace Meanwhile.Benchmarking.Hostile;

/// <summary>A server of this program that is attacked: aggregator, broker and HTTP in one process, on ports and files of its own.</summary>
internal sealed class AttackedServer : IDisposable
{
    /// <summary>Its --max-memory, in bytes.</summary>
    public const long MaxMemory = 200L << 20;

    /// <summary>Below this are the readings.</summary>
    public const string Topic = "data";

    /// <summary>Users that have not logged in yet, each with the number behind it.</summary>
    public const string NewUser = "new";

    /// <summary>How many of them.</summary>
    public const int NewUsers = 400;

    /// <summary>Of all users.</summary>
    public const string Password = "secret";

    private const long HeapLimit = 256L << 20;

    private static readonly string Hash = PasswordHash.Of("secret"u8).ToString();

    private readonly Stage _stage;
    private readonly ServerTerms _terms;
    private readonly string? _program;
    private readonly string _folder;
    private ChildProcess _process;

    private AttackedServer(Stage stage, string? program, ServerTerms terms, string folder)
    {
        (_stage, _program, _terms, _folder) = (stage, program, terms, folder);
        File.WriteAllLines(InFolder("users"), [.. new[] { GoodClient.User, Attacker.User }.Concat(Enumerable.Range(0, NewUsers).Select(i => NewUser + i)).Select(user => $"{user}:{Hash}")]);
        SetAccessList(terms.AccessList ?? "");
        Certificate.Write(InFolder("server.crt"), InFolder("server.key"), stage.Time);
        _process = Start();
    }

    /// <summary>Where it listens.</summary>
    public int MqttPort { get; } = Loopback.FreePort();

    /// <inheritdoc cref="MqttPort"/>
    public int TlsPort { get; } = Loopback.FreePort();

    /// <inheritdoc cref="MqttPort"/>
    public int WebSocketPort { get; } = Loopback.FreePort();

    /// <inheritdoc cref="MqttPort"/>
    public int HttpPort { get; } = Loopback.FreePort();

    /// <summary>Its readings.</summary>
    public string Database => InFolder("readings.db");

    /// <summary>Its sessions and queues.</summary>
    public string BrokerDatabase => InFolder("readings.db.broker");

    /// <summary>What it holds, and has held at most, in MiB.</summary>
    public double Resident => Mebibytes(_process.ResidentBytes);

    /// <inheritdoc cref="Resident"/>
    public double PeakResident => Mebibytes(_process.PeakResidentBytes);

    /// <summary>Of connections and listeners.</summary>
    public int OpenSockets => _process.OpenSockets;

    /// <summary>How it ended; null while it runs.</summary>
    public string? Ending => _process.HasExited ? _process.Ending : null;

    /// <summary>Starts one, and waits until it takes messages in.</summary>
    /// <param name="program">Another build of it; null for this one.</param>
    public static async Task<AttackedServer> StartAsync(Stage stage, string? program, ServerTerms terms, CancellationToken stop)
    {
        var folder = Path.Combine(stage.Options.Folder, Guid.NewGuid().ToString("n")[..8]);
        Directory.CreateDirectory(folder);
        var server = new AttackedServer(stage, program, terms, folder);
        await server.IsReadyAsync(stop);
        return server;
    }

    /// <summary>Says anew who may do what.</summary>
    public void SetAccessList(string text) => File.WriteAllText(InFolder("acl"), text);

    /// <summary>Kills it, and starts it again.</summary>
    /// <param name="between">Done while it is not there.</param>
    public async Task RestartAsync(Action between, CancellationToken stop)
    {
        await _process.KillAsync(stop);
        _process.Dispose();
        File.Delete(InFolder("ready"));
        between();
        _process = Start();
        await IsReadyAsync(stop);
    }

    /// <summary>Asks it to stop.</summary>
    /// <returns>Its exit code.</returns>
    public Task<int> StopAsync(CancellationToken stop) => _process.StopAsync(stop);

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        foreach (var database in Directory.EnumerateFiles(_folder, "readings.db*"))
            File.Delete(database); // The log stays while the benchmark lasts.
    }

    private static double Mebibytes(long bytes) => bytes / (double)(1 << 20);

    private string InFolder(string name) => Path.Combine(_folder, name);

    private ChildProcess Start() => Stage.StartMeanwhile(
        _program,
        InFolder("log"),
        [
            "aggregate", "--broker", $"embedded://127.0.0.1:{MqttPort}", "--listen", $"mqtt://127.0.0.1:{MqttPort},mqtts://127.0.0.1:{TlsPort},ws://127.0.0.1:{WebSocketPort}",
            "--cert", InFolder("server.crt"), "--key", InFolder("server.key"), "--topic", $"{Topic}/#", "--db", Database, "--http", $"127.0.0.1:{HttpPort}",
            "--max-memory", MaxMemory.ToString(CultureInfo.InvariantCulture), "--ready-file", InFolder("ready"),
            .. _terms.HasUsers ? ["--users", InFolder("users")] : (string[])[], .. _terms.AccessList is null ? (string[])[] : ["--acl", InFolder("acl")],
        ],
        _terms.HasHeapLimit ? [("DOTNET_GCHeapHardLimit", $"0x{HeapLimit:x}")] : []);

    private async Task IsReadyAsync(CancellationToken stop)
    {
        while (!File.Exists(InFolder("ready")))
            await _stage.LookAgainAsync(_process, stop);
    }
}
