using Npgsql;

namespace Meanwhile.Tests.Support;

/// <summary>A PostgreSQL of the test's own, on a free loopback port, with fsync on. It refuses to run as root, so root starts it as Debian's user postgres.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string Password = "p@ss:w/rd?"; // Everything that a URL has to escape.
    private readonly TemporaryFolder _folder = new();
    private readonly string _programs = Programs();
    private RunningProgram? _process;
    private int _databases;

    private string Data => _folder["data"];

    public int Port { get; } = MosquittoServer.FreePort();

    /// <summary>Starts one, or skips the test where it is not installed.</summary>
    public static async Task<PostgresServer> StartNewAsync()
    {
        var server = new PostgresServer();
        await File.WriteAllTextAsync(server._folder["password"], Password);
        if (IsRoot)
            await RunAsync("chown", "-R", "postgres", server._folder.Path);
        var initdb = server.Command("initdb", "-D", server.Data, "-U", "me", "--auth=scram-sha-256", $"--pwfile={server._folder["password"]}", "-E", "UTF8", "--locale=C", "--no-sync");
        await RunAsync(initdb[0], initdb[1..]);
        await server.StartAsync();
        return server;
    }

    /// <summary>A new database, as DB_FILE names it.</summary>
    /// <param name="port">Of a proxy before the server.</param>
    public async Task<string> CreateDatabaseAsync(int? port = null, string with = "")
    {
        var name = $"test{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync(Url("postgres"), $"CREATE DATABASE {name} {with}");
        return Url(name, port);
    }

    /// <summary>The URL of a database.</summary>
    public string Url(string database, int? port = null) => $"postgres://me:{Uri.EscapeDataString(Password)}@127.0.0.1:{port ?? Port}/{database}";

    /// <summary>Starts it again.</summary>
    public async Task StartAsync()
    {
        var postgres = Command("postgres", "-D", Data, "-p", Port.ToString(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=");
        _process = RunningProgram.Start(postgres[0], _folder.Path, postgres[1..]);
        await _process.SaysAsync("database system is ready to accept connections");
    }

    /// <summary>Stops it as pg_ctl does: INT is its mode fast, QUIT its mode immediate, which leaves a recovery to do.</summary>
    public async Task StopAsync(string signal = "INT")
    {
        await _process!.SignalAsync(signal);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Runs a query with another connection than the program's own: a text a row, columns separated by |.</summary>
    public static async Task<List<string>> QueryAsync(string url, string sql)
    {
        await using var connection = await ConnectAsync(url);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        List<string> rows = [];
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i)))));
        return rows;
    }

    /// <inheritdoc cref="QueryAsync"/>
    public static Task ExecuteAsync(string url, string sql) => QueryAsync(url, sql);

    /// <summary>A connection beside the program's own.</summary>
    public static async Task<NpgsqlConnection> ConnectAsync(string url)
    {
        var uri = new Uri(url);
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port,
            Username = "me",
            Password = Password,
            Database = uri.AbsolutePath.Trim('/'),
            Pooling = false,
        }.ToString());
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await StopAsync();
        _folder.Dispose();
    }

    private static bool IsRoot => Environment.UserName == "root" && !OperatingSystem.IsWindows();

    private static string Programs()
    {
        var folder = !Directory.Exists("/usr/lib/postgresql") ? null : Directory.EnumerateDirectories("/usr/lib/postgresql").MaxBy(name => int.Parse(Path.GetFileName(name)));
        Peers.Require(folder is not null && File.Exists(Path.Combine(folder, "bin/initdb")), "PostgreSQL is not installed");
        return Path.Combine(folder, "bin");
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var run = RunningProgram.Start(program, "/", arguments);
        Assert.True(await run.ExitAsync() == 0, run.Error);
    }

    // setpriv becomes the program that it starts, so the process id is the server's own.
    private string[] Command(string program, params string[] arguments) =>
        [.. IsRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : Array.Empty<string>(), Path.Combine(_programs, program), .. arguments];
}
