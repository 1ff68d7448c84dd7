using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>What a user sees who made a mistake: one line that says what to do, and the right exit code.</summary>
public sealed class CommandLineTests : ProgramTest
{
    [Theory]
    [InlineData("frobnicate", "'frobnicate'")]
    [InlineData("", "Required command was not provided")]
    [InlineData("publish --frobnicate", "'--frobnicate'")]
    [InlineData("publish --qos 3", "--qos: '3' cannot be understood: expected a whole number from 0 to 2")]
    [InlineData("publish --count many", "--count: 'many'")]
    [InlineData("publish --interval 3-1", "--interval: '3-1'")]
    [InlineData("publish --interval 1 --rate 1", "expected one of them")]
    [InlineData("publish --topic plant/#", "--topic: 'plant/#' cannot be understood: expected a topic without the wildcards")]
    [InlineData("publish --broker embedded", "expected the address of a running broker")]
    [InlineData("publish --password-file nowhere", "--password-file: 'nowhere' cannot be understood: expected a file that can be read")]
    [InlineData("aggregate --broker ftp://x", "--broker: 'ftp://x' cannot be understood")]
    [InlineData("aggregate --db .", "--db: '.' cannot be understood: expected the path of a file, not of a folder")]
    [InlineData("aggregate --topic a/#/b", "--topic: 'a/#/b'")]
    [InlineData("aggregate --topic X --stats-topic X", "expected two topics")]
    [InlineData("aggregate --windows 60s,1min", "--windows: '60s,1min'")]
    [InlineData("aggregate --stats count,median", "--stats: 'count,median' cannot be understood: expected names with commas")]
    [InlineData("aggregate --value number", "--value: 'number' cannot be understood: expected a JSON Pointer")]
    [InlineData("aggregate --time soon", "--time: 'soon'")]
    [InlineData("aggregate --max-ahead soon", "--max-ahead: 'soon'")]
    [InlineData("aggregate --tick 0s", "--tick: '0s'")]
    [InlineData("broker --listen 1883", "--listen: '1883'")]
    [InlineData("aggregate --quarantine-age old", "--quarantine-age: 'old'")]
    [InlineData("query --at noon", "--at: 'noon' cannot be understood: expected seconds since 1970, or an ISO 8601 time with a zone")]
    [InlineData("export --format xml", "--format: 'xml' cannot be understood: expected json or csv")]
    [InlineData("quarantine", "See: meanwhile quarantine --help")]
    [InlineData("quarantine drop", "expected either the numbers of messages")]
    [InlineData("quarantine show x", "See: meanwhile quarantine show --help")]
    [InlineData("verify --qos 3", "--qos: '3'")]
    [InlineData("broker --listen 0.0.0.0:0", "0.0.0.0:0: whoever reaches this address could publish and subscribe there: expected a loopback address such as 127.0.0.1, or --users, or --client-ca with mqtts:// or wss://, or --allow-anonymous")]
    [InlineData("broker --listen [::]:0", "or --allow-anonymous")]
    [InlineData("aggregate --broker embedded://0.0.0.0:0", "or --allow-anonymous")]
    [InlineData("aggregate --http 8080", "--http: '8080' cannot be understood: expected ADDRESS:PORT")]
    [InlineData("aggregate --http 0.0.0.0:0", "--http: whoever reaches 0.0.0.0:0 could read everything there: expected a loopback address such as 127.0.0.1:8080, or --http-token-file")]
    [InlineData("demo --http [::]:0", "or --http-token-file")]
    [InlineData("aggregate --http-token-file nowhere", "--http-token-file: 'nowhere' cannot be understood: expected a file that can be read")]
    [InlineData("aggregate --http-metric-series -1", "--http-metric-series: '-1'")]
    [InlineData("watch --log-level loud", "--log-level: 'loud' cannot be understood: expected debug, info, warning or error")]
    [InlineData("watch --log-format xml", "--log-format: 'xml' cannot be understood: expected plain or json")]
    [InlineData("watch --log-level info --verbose", "expected one of them")]
    [InlineData("completion tcsh", "'tcsh'")]
    public async Task A_mistake_on_the_command_line_is_one_line_and_exit_code_2(string arguments, string expected) =>
        await ExpectAsync(2, expected, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Fact]
    public async Task A_mistake_in_the_environment_names_the_variable()
    {
        var program = Meanwhile(["aggregate"], ("DB_FILE", Folder.Path));
        Assert.Equal(2, await program.ExitAsync());
        Assert.Equal($"meanwhile: DB_FILE in the environment: '{Folder.Path}' cannot be understood: expected the path of a file, not of a folder\n", program.Error);
    }

    [Fact]
    public async Task For_programs_the_last_words_are_json_as_well()
    {
        var program = Meanwhile(["query", "--db", "nowhere.db"], ("LOG_FORMAT", "json"), ("LOG_LEVEL", "error"));
        Assert.Equal(1, await program.ExitAsync());
        using var json = JsonDocument.Parse(program.Error);
        Assert.Equal("critical", json.RootElement.GetProperty("level").GetString());
        Assert.Contains("nowhere.db", json.RootElement.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_settings_file_that_cannot_be_read_is_one_line()
    {
        Directory.CreateDirectory(Folder[".env"]);
        await ExpectAsync(2, ".env cannot be read", "aggregate");
    }

    [Fact]
    public async Task A_settings_file_in_the_working_directory_is_used()
    {
        await File.WriteAllTextAsync(Folder[".env"], "BROKER=gopher://hole\n", TestContext.Current.CancellationToken);
        await ExpectAsync(2, "BROKER in .env: 'gopher://hole'", "watch");
    }

    [Fact]
    public async Task A_port_in_use_is_one_line()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = listener.LocalEndpoint.ToString()!;
        await ExpectAsync(1, $"{address}: the embedded broker cannot listen there", "broker", "--listen", address);
        await ExpectAsync(1, $"{address}: the embedded broker cannot listen there", "aggregate", "--broker", $"embedded://{address}");
        await ExpectAsync(1, $"--http: nothing can be served at {address} (", "aggregate", "--broker", "embedded://127.0.0.1:0", "--http", address);
    }

    [Theory]
    [InlineData("broker --listen 0.0.0.0:0 --allow-anonymous")]
    [InlineData("aggregate --broker embedded://0.0.0.0:0 --allow-anonymous")]
    public async Task An_address_that_others_reach_is_used_when_that_is_wanted_and_said(string arguments)
    {
        var program = Meanwhile(arguments.Split(' '));
        await program.SaysAsync("is open to the network without authentication");
        Assert.Equal(0, await program.TerminateAsync());
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_one_line()
    {
        await File.WriteAllTextAsync(Folder["notes.txt"], new string('x', 5000), TestContext.Current.CancellationToken);
        await ExpectAsync(1, "notes.txt is no SQLite database", "aggregate", "--db", "notes.txt", "--broker", "embedded://127.0.0.1:0");
    }

    [Fact]
    public async Task A_file_that_is_no_brokers_is_one_line()
    {
        var aggregate = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0"]);
        await aggregate.SaysAsync("read back");
        Assert.Equal(0, await aggregate.TerminateAsync());
        await ExpectAsync(1, "tmp/test.db is no file of a broker", "broker", "--db", "tmp/test.db", "--listen", "127.0.0.1:0");
        await File.WriteAllTextAsync(Folder["notes.txt"], new string('x', 5000), TestContext.Current.CancellationToken);
        await ExpectAsync(1, "notes.txt is no SQLite database", "broker", "--db", "notes.txt", "--listen", "127.0.0.1:0");
    }

    [Fact]
    public async Task A_databaseFolder_that_cannot_be_made_is_one_line()
    {
        await File.WriteAllTextAsync(Folder["file"], "", TestContext.Current.CancellationToken);
        await ExpectAsync(1, "file/test.db: its folder cannot be made", "aggregate", "--db", "file/test.db", "--broker", "embedded://127.0.0.1:0");
    }

    [Fact]
    public async Task A_second_aggregator_on_one_file_is_told_who_holds_it()
    {
        var first = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0"]);
        await first.SaysAsync("read back");
        await ExpectAsync(1, "is in use by another aggregator (process ", "aggregate", "--broker", "embedded://127.0.0.1:0");
        Assert.Equal(0, await first.TerminateAsync());
    }

    [Fact]
    public async Task A_second_broker_on_one_file_is_told_who_holds_it()
    {
        var first = Meanwhile(["broker", "--listen", "127.0.0.1:0"]);
        await first.SaysAsync("is listening");
        await ExpectAsync(1, "tmp/broker.db is in use by another broker (process ", "broker", "--listen", "127.0.0.1:0");
        Assert.Equal(0, await first.TerminateAsync());
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("demo --help")]
    [InlineData("aggregate --help")]
    public async Task Help_and_version_go_to_standard_output(string arguments)
    {
        var program = Meanwhile(arguments.Split(' '));
        Assert.Equal(0, await program.ExitAsync());
        Assert.NotEqual("", program.Output);
        Assert.Equal("", program.Error);
    }

    private async Task ExpectAsync(int exitCode, string expected, params string[] arguments)
    {
        var program = Meanwhile(arguments);
        Assert.Equal(exitCode, await program.ExitAsync());
        var line = Assert.Single(program.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), l => l.StartsWith("meanwhile: ", StringComparison.Ordinal));
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", program.Error, StringComparison.Ordinal);
        Assert.Equal("", program.Output);
    }
}
