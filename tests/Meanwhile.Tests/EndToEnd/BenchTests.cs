using System.Text.Json;
using System.Xml.Linq;
using Meanwhile.Tests.Support;
using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Each scenario in a tiny version, and proof that it fails when a message is missing.</summary>
public sealed class BenchTests(PostgresFixture postgres) : ProgramTest
{
    private static readonly string[] Tiny = ["--seconds", "0.1", "--rounds", "1"];

    [Theory]
    [InlineData("ingest", "embedded", "1", null)]
    [InlineData("ingest", "embedded", "2", null)]
    [InlineData("ingest", "mosquitto", "1", null)]
    [InlineData("latency", "embedded", "1", "10,90")]
    [InlineData("latency", "mosquitto", "1", "10")]
    [InlineData("series", "embedded", "1", "1,3000")]
    [InlineData("history", "embedded", "1", "1000,20000")]
    [InlineData("history", "mosquitto", "1", "2000")]
    [InlineData("clients", "embedded", "1", "1,1001")]
    [InlineData("payload", "embedded", "0", "41,5000")]
    [InlineData("restart", "embedded", "1", "0,20000")]
    [InlineData("restart", "mosquitto", "1", "500")]
    public async Task A_scenario_accounts_for_its_messages_and_says_the_same_to_machines(string scenario, string broker, string qos, string? sizes)
    {
        if (broker == "mosquitto")
            Peers.RequireProgram(broker);
        var bench = Meanwhile(
            ["bench", scenario, "--broker", broker, "--qos", qos, .. Tiny, "--json", Folder["figures.json"], "--svg", Folder["charts"], .. sizes is null ? (string[])[] : ["--sizes", sizes]],
            ("TMPDIR", Folder.Path));
        Assert.True(await bench.ExitAsync(Patience) == 0, bench.Output + bench.Error);
        Assert.StartsWith($"{scenario}: ", bench.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("finding", bench.Output, StringComparison.Ordinal);

        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(Folder["figures.json"], TestContext.Current.CancellationToken));
        var report = Assert.Single(figures.RootElement.GetProperty("scenarios").EnumerateArray());
        var rows = report.GetProperty("rows").EnumerateArray().ToList();
        Assert.Contains(rows, row => row.GetProperty("kind").GetString() == "program");
        foreach (var row in rows)
            Assert.Contains(bench.Output.Split('\n'), line => line.StartsWith(row.GetProperty("name").GetString()!, StringComparison.Ordinal) && line.Contains(FirstMedian(row), StringComparison.Ordinal));
        Assert.NotNull(XDocument.Load(Folder[$"charts/bench-{scenario}.svg"]).Root);
        Assert.Empty(Directory.EnumerateDirectories(Folder.Path, "meanwhile-bench-*"));
    }

    [Fact]
    [Trait("peer", "PostgreSQL")]
    public async Task A_scenario_uses_schemas_of_its_own_in_a_PostgreSQL_database()
    {
        var server = await postgres.ServerAsync();
        var url = await server.CreateDatabaseAsync();
        var bench = Meanwhile(
            ["bench", "history", "--sizes", "100,2000", .. Tiny, "--db", $"postgres://me@127.0.0.1:{server.Port}{new Uri(url).AbsolutePath}"],
            ("PGPASSWORD", Uri.UnescapeDataString(new Uri(url).UserInfo.Split(':')[1])));
        Assert.True(await bench.ExitAsync(Patience) == 0, bench.Output + bench.Error);
        Assert.Contains("aggregate with its broker  2,000", bench.Output, StringComparison.Ordinal);
        Assert.Equal(["0"], await PostgresServer.QueryAsync(url, "SELECT COUNT(*) FROM pg_namespace WHERE nspname LIKE 'bench%'"));
    }

    [Theory]
    [InlineData("payload", "41", "messages/s")]
    [InlineData("latency", "10", "p50, ms")]
    [InlineData("restart", "0,500", "seconds, s")]
    public async Task Builds_take_turns(string scenario, string sizes, string figure)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "meanwhile");
        var bench = Meanwhile(["bench", scenario, "--sizes", sizes, .. Tiny, "--program", program, "--program", program, "--svg", Folder["charts"]]);
        Assert.True(await bench.ExitAsync(Patience) == 0, bench.Output + bench.Error);
        Assert.Contains(figure, bench.Output, StringComparison.Ordinal);
        Assert.Contains("  of aggregate with its broker (1)", bench.Output, StringComparison.Ordinal);
        Assert.Contains($"\n  (2) is {program}\n", bench.Output, StringComparison.Ordinal);
        Assert.Contains(">aggregate with its broker (2)<", await File.ReadAllTextAsync(Folder[$"charts/bench-{scenario}.svg"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_highest_rate_that_is_given_is_not_measured()
    {
        var bench = Meanwhile(["bench", "latency", "--sizes", "50", "--highest", "4000", .. Tiny, "--json", Folder["figures.json"]]);
        Assert.True(await bench.ExitAsync(Patience) == 0, bench.Error);
        Assert.Contains("with one publisher is given as 4,000 messages/s", bench.Output, StringComparison.Ordinal);
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(Folder["figures.json"], TestContext.Current.CancellationToken));
        var last = figures.RootElement.GetProperty("scenarios")[0].GetProperty("rows").EnumerateArray().Last();
        Assert.InRange(last.GetProperty("figures").GetProperty("messages/s").GetProperty("median").GetDouble(), 1, 2000);
        Assert.DoesNotContain("the highest rate, round", bench.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Machines_get_nothing_but_JSON_and_progress_goes_elsewhere()
    {
        var bench = Meanwhile(["bench", "payload", "--sizes", "41", .. Tiny, "--json", "-"]);
        Assert.True(await bench.ExitAsync(Patience) == 0, bench.Error);
        using var figures = JsonDocument.Parse(bench.Output);
        Assert.Equal("payload", figures.RootElement.GetProperty("scenarios")[0].GetProperty("name").GetString());
        Assert.Contains("payload: round 1 of 1, 41 bytes, loopback\n", bench.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_that_is_missing_fails_it()
    {
        var bench = Meanwhile(["bench", "ingest", "--seconds", "2", "--rounds", "1", "--db", Database], ("TMPDIR", Folder.Path)); // Where its logs stay.
        await Until.TrueAsync(() => File.Exists(Database) && HasTable() && Rows() > 20, () => bench.Error);
        ReadingsFile.Query(Database, "DELETE FROM messages WHERE position = (SELECT MIN(position) FROM messages)");
        Assert.Equal(1, await bench.ExitAsync(Patience));
        Assert.Matches(@"finding: aggregate with its broker: [\d,]+ messages with the sum [\d,]+ were sent to bench/\S+, and the store has [\d,]+ rows", bench.Output);
        Assert.Contains("meanwhile: messages are not accounted for: 1 findings, the first: aggregate with its broker: ", bench.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "See: meanwhile bench --help")]
    [InlineData("nothing", "'nothing' is neither")]
    [InlineData("ingest --sizes 1", "'--sizes' is neither")]
    [InlineData("ingest --broker mqtts://x", "--broker: 'mqtts://x:8883': prepared packets are sent as they are: expected mqtt://, embedded or mosquitto")]
    [InlineData("ingest --seconds 0", "--seconds: '0' cannot be understood: expected seconds, from 0.1 to 3600")]
    [InlineData("ingest --rounds x", "--rounds: 'x' cannot be understood")]
    [InlineData("series --sizes 1,,2", "--sizes: '1,,2' cannot be understood")]
    [InlineData("series --sizes 10000000", "--sizes: 10000000 is beyond series: expected numbers from 1 to 1000000")]
    [InlineData("latency --sizes 0", "--sizes: 0 is beyond latency: expected numbers from 1 to 1000")]
    [InlineData("latency --highest 0", "--highest: '0' cannot be understood")]
    [InlineData("series --highest 1000", "'--highest' is neither")]
    [InlineData("ingest --program nowhere", "--program: 'nowhere' is not there")]
    [InlineData("ingest --db there", "--db: 'there' cannot be understood: expected a file that is not there yet")]
    public async Task What_cannot_be_understood_is_said_at_once(string commandLine, string expected)
    {
        await File.WriteAllTextAsync(Folder["there"], "", TestContext.Current.CancellationToken);
        var bench = Meanwhile(["bench", .. commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Equal(2, await bench.ExitAsync());
        Assert.Contains(expected, bench.Error, StringComparison.Ordinal);
        Assert.Equal("", bench.Output);
        Assert.True(File.Exists(Folder["there"]));
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("KILL")]
    public async Task Its_processes_do_not_outlive_it(string signal)
    {
        var bench = Meanwhile(["bench", "ingest", "--seconds", "100", "--db", Database], ("TMPDIR", Folder.Path));
        await bench.SaysAsync("round 0 of 3, loopback");
        Assert.Contains(CommandLines.With(Folder.Path), line => line.Contains("aggregate", StringComparison.Ordinal));
        var code = await bench.SignalAsync(signal);
        await Until.TrueAsync(() => !CommandLines.With(Folder.Path).Any(), () => string.Join('\n', CommandLines.With(Folder.Path)));
        if (signal == "KILL")
            return;
        Assert.Equal(0, code);
        Assert.Empty(Directory.EnumerateDirectories(Folder.Path, "meanwhile-bench-*"));
        Assert.False(File.Exists(Database));
    }

    private static TimeSpan Patience => TimeSpan.FromMinutes(5);

    private static string FirstMedian(JsonElement row)
    {
        var first = row.GetProperty("figures").EnumerateObject().First().Value;
        var figure = new Figure("", first.GetProperty("unit").GetString()!, [first.GetProperty("median").GetDouble()]);
        return figure.Show(figure.Median);
    }
}
