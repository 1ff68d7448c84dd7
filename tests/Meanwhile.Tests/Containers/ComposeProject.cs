using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Meanwhile.Tests.Containers;

/// <summary>One of the repository's compose files under a version of compose, in a project of its own, taken down at the end with its volumes.</summary>
internal sealed partial class ComposeProject : IAsyncDisposable
{
    private static readonly TimeSpan BuildAndStart = TimeSpan.FromMinutes(5);
    private static readonly string Repository = FindRepository();

    private readonly string _name = $"meanwhile-test-{Guid.NewGuid():N}";
    private readonly string[] _compose;
    private readonly Command _command;
    private readonly ConcurrentQueue<string> _seen = new();
    private Process? _foreground;

    private ComposeProject(string[] compose, string file)
    {
        _compose = [.. compose, "-f", file];
        _command = new Command(Repository, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["COMPOSE_PROJECT_NAME"] = _name,
            ["MQTT_PORT"] = $"{MosquittoServer.FreePort()}",
        });
    }

    /// <summary>The lines of containers that compose has shown in the foreground, without colours: who, and what.</summary>
    public IReadOnlyList<(string Container, string Text)> Heard =>
        [
            .. _seen.Select(line => ContainerLine().Match(Colour().Replace(line, "")))
                .Where(match => match.Success)
                .Select(match => (match.Groups["container"].Value, match.Groups["text"].Value)),
        ];

    /// <summary>A project that is not up yet.</summary>
    public static async Task<ComposeProject> CreateAsync(string version, string file)
    {
        var project = new ComposeProject(version == "v1" ? ["docker-compose"] : ["docker", "compose"], file);
        Peers.RequireProgram("docker");
        Peers.Require((await project.TryAsync("docker", "info")).ExitCode == 0, "no container engine answers");
        if (version == "v1")
            Peers.RequireProgram("docker-compose");
        var answer = await project.TryAsync(project._compose[0], [.. project._compose[1..^2], "version", "--short"]);
        Peers.Require(answer.ExitCode == 0 && version == "v1" == answer.Output.StartsWith("1.", StringComparison.Ordinal), $"there is no compose {version}");
        return project;
    }

    /// <summary>Runs a compose command to its end.</summary>
    public Task<CommandResult> ComposeAsync(params string[] arguments) => RunAsync("", [.. _compose, .. arguments]);

    /// <summary>Runs a docker command to its end.</summary>
    public Task<CommandResult> DockerAsync(params string[] arguments) => RunAsync("", ["docker", .. arguments]);

    /// <summary>Runs a program in a container.</summary>
    public Task<CommandResult> ExecuteAsync(string container, string input, params string[] arguments) =>
        RunAsync(input, ["docker", "exec", "-i", container, .. arguments]);

    /// <summary>Starts a compose command in the foreground.</summary>
    public void Start(params string[] arguments) => _foreground = _command.Start(_seen, _compose[0], [.. _compose[1..], .. arguments]);

    /// <summary>Waits until the containers' lines in the foreground are as expected.</summary>
    public async Task HearAsync(string what, Func<IReadOnlyList<(string Container, string Text)>, bool> condition)
    {
        await Until.TrueAsync(() => Task.FromResult(condition(Heard) || _foreground!.HasExited), () => what, BuildAndStart);
        if (!condition(Heard))
            Assert.Fail($"compose ended before this was seen: {what}\n{string.Join('\n', _seen)}");
    }

    /// <summary>Stops the containers, upon which the command in the foreground ends as well.</summary>
    public async Task StopAsync()
    {
        await ComposeAsync("stop");
        if (_foreground is not null)
            await _foreground.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>When containers were started, and found healthy, in order.</summary>
    public async Task<string[]> EventsAsync()
    {
        var events = await DockerAsync(
            "events", "--since", "1h", "--until", "0s", "--filter", $"label=com.docker.compose.project={_name}", "--format", "{{.Action}} {{.Actor.Attributes.name}}");
        return [.. events.Output.Split('\n').Where(e => e.StartsWith("start ", StringComparison.Ordinal) || e.StartsWith("health_status", StringComparison.Ordinal))];
    }

    /// <summary>The readings in the stopped subscriber's database, in order of arrival.</summary>
    public async Task<IReadOnlyList<long>> ReadingsAsync()
    {
        var copy = Directory.CreateTempSubdirectory("meanwhile-").FullName;
        try
        {
            await DockerAsync("cp", "subscriber:/data/.", copy);
            await using var database = new SqliteConnection($"Data Source={copy}/readings.db;Pooling=False");
            await database.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = database.CreateCommand();
            command.CommandText = "SELECT number FROM messages ORDER BY rowid";
            await using var rows = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            List<long> numbers = [];
            while (await rows.ReadAsync(TestContext.Current.CancellationToken))
                numbers.Add(rows.GetInt64(0));
            return numbers;
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await TryAsync(_compose[0], [.. _compose[1..], "down", "--volumes"]);
        _foreground?.Kill(entireProcessTree: true);
        _foreground?.Dispose();
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Meanwhile.slnx")))
            folder = folder.Parent!;
        return folder.FullName;
    }

    [GeneratedRegex(@"\e\[[0-9;]*m", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Colour();

    [GeneratedRegex(@"^(?<container>[a-z_]+) +\| (?<text>.*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex ContainerLine();

    private Task<CommandResult> TryAsync(string program, params string[] arguments) => _command.RunAsync("", program, arguments);

    private async Task<CommandResult> RunAsync(string input, string[] command)
    {
        var result = await _command.RunAsync(input, command[0], command[1..]);
        if (result.ExitCode != 0)
            Assert.Fail($"{string.Join(' ', command)}: exit code {result.ExitCode}\n{result.Output}{result.Error}");
        return result;
    }
}
