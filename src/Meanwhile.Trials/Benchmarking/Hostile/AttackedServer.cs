using System.Globalization;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>The server that is attacked: aggregator, broker and HTTP in one process, with its own ports and files.</summary>
internal sealed class AttackedServer : IDisposable
{
    /// <summary>Its --max-memory, in bytes.</summary>
    public const long MaxMemory = 200L << 20;

    /// <summary>Readings are below this topic.</summary>
    public const string Topic = "data";

    /// <summary>The names of users who log in for the first time begin with this, and end with a number.</summary>
    public const string NewUser = "new";

    /// <summary>The number of these users.</summary>
    public const int NewUsers = 400;

    /// <summary>The password of every user.</summary>
    public const string Password = "secret";

    private const string Users = "users";
    private const long HeapLimit = 256L << 20;

    private readonly BenchEnvironment _environment;
    private readonly ServerTerms _terms;
    private readonly string? _program;
    private readonly string _folder;
    private ChildProcess _process;

    private AttackedServer(BenchEnvironment environment, string? program, ServerTerms terms, string folder)
    {
        (_environment, _program, _terms, _folder) = (environment, program, terms, folder);
        SetAccessList(terms.AccessList ?? "");
        Certificate.Write(InFolder("server.crt"), InFolder("server.key"), environment.Time);
        _process = Start();
    }

    /// <summary>A port on which it listens.</summary>
    public int MqttPort { get; } = Loopback.FreePort();

    /// <inheritdoc cref="MqttPort"/>
    public int TlsPort { get; } = Loopback.FreePort();

    /// <inheritdoc cref="MqttPort"/>
    public int WebSocketPort { get; } = Loopback.FreePort();

    /// <inheritdoc cref="MqttPort"/>
    public int HttpPort { get; } = Loopback.FreePort();

    /// <summary>The file of its readings.</summary>
    public string Database => InFolder("readings.db");

    /// <summary>The file of its sessions and queues.</summary>
    public string BrokerDatabase => InFolder("readings.db.broker");

    /// <summary>Its resident memory, in MiB; 0 when it has ended.</summary>
    public double Resident => Mebibytes(() => _process.ResidentBytes);

    /// <summary>Its highest resident memory, in MiB; 0 when it has ended.</summary>
    public double PeakResident => Mebibytes(() => _process.PeakResidentBytes);

    /// <summary>Open sockets: connections and listeners.</summary>
    public int OpenSockets => _process.OpenSockets;

    /// <summary>How it ended; null while it runs.</summary>
    public string? Ending => _process.HasExited ? _process.Ending : null;

    /// <summary>Starts a server, and waits until it is ready.</summary>
    /// <param name="program">Another build of it; null for this one.</param>
    public static async Task<AttackedServer> StartAsync(BenchEnvironment environment, string? program, ServerTerms terms, CancellationToken stop)
    {
        var folder = Path.Combine(environment.Options.Folder, Guid.NewGuid().ToString("n")[..8]);
        Directory.CreateDirectory(folder);
        await MakeUsersAsync(program, folder, stop);
        var server = new AttackedServer(environment, program, terms, folder);
        await server.IsReadyAsync(stop);
        return server;
    }

    /// <summary>Replaces the access list.</summary>
    public void SetAccessList(string text) => File.WriteAllText(InFolder("acl"), text);

    /// <summary>Kills it, and starts it again.</summary>
    /// <param name="between">Called while it is down.</param>
    public async Task RestartAsync(Action between, CancellationToken stop)
    {
        await _process.KillAsync(stop);
        _process.Dispose();
        File.Delete(InFolder("ready"));
        between();
        _process = Start();
        await IsReadyAsync(stop);
    }

    /// <summary>The number of readings of a topic in its store.</summary>
    public async Task<long> CountRowsAsync(string topic, CancellationToken stop)
    {
        var rows = 0L;
        await StoreExport.ReadAsync(_program, Database, topic, InFolder("export.log"), reading => rows += reading.Topic == topic ? 1 : 0, stop);
        return rows;
    }

    /// <summary>Asks it to stop.</summary>
    /// <returns>Its exit code.</returns>
    public Task<int> StopAsync(CancellationToken stop) => _process.StopAsync(stop);

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        foreach (var database in Directory.EnumerateFiles(_folder, "readings.db*"))
            File.Delete(database); // The log stays until the benchmark ends.
    }

    private static double Mebibytes(Func<long> bytes)
    {
        try
        {
            return bytes() / (double)(1 << 20);
        }
        catch (InvalidOperationException)
        {
            return 0; // It has ended.
        }
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    // All users have the same password: one hash does for them all, and hashing takes long.
    private static async Task MakeUsersAsync(string? program, string folder, CancellationToken stop)
    {
        var users = Path.Combine(folder, Users);
        string[] passwd = [.. ChildProcess.CommandOf(program), "passwd", users, GoodClient.User];
        using var process = ChildProcess.Start("/bin/sh", Path.Combine(folder, "passwd.log"), ["-c", "echo \"$0\" | \"$@\"", Password, .. passwd]);
        if (await process.ExitAsync(stop) != 0)
            throw new TrialException($"passwd makes no user ({process.Ending})");
        var hash = (await File.ReadAllTextAsync(users, stop)).Trim()[GoodClient.User.Length..];
        await File.AppendAllLinesAsync(users, Enumerable.Range(0, NewUsers).Select(i => $"{NewUser}{i}").Prepend(Attacker.User).Select(user => user + hash), stop);
    }

    private ChildProcess Start() => ChildProcess.StartMeanwhile(
        _program,
        InFolder("log"),
        [
            "aggregate", "--broker", $"embedded://127.0.0.1:{MqttPort}", "--listen", $"mqtt://127.0.0.1:{MqttPort},mqtts://127.0.0.1:{TlsPort},ws://127.0.0.1:{WebSocketPort}",
            "--cert", InFolder("server.crt"), "--key", InFolder("server.key"), "--topic", $"{Topic}/#", "--db", Database, "--http", $"127.0.0.1:{HttpPort}",
            "--max-memory", MaxMemory.ToString(CultureInfo.InvariantCulture), "--ready-file", InFolder("ready"),
            .. _terms.HasUsers ? ["--users", InFolder(Users)] : (string[])[], .. _terms.AccessList is null ? (string[])[] : ["--acl", InFolder("acl")],
        ],
        output: null,
        _terms.HasHeapLimit ? [("DOTNET_GCHeapHardLimit", $"0x{HeapLimit:x}")] : []);

    private async Task IsReadyAsync(CancellationToken stop)
    {
        while (!File.Exists(InFolder("ready")))
            await _environment.LookAgainAsync(_process, stop);
    }
}
