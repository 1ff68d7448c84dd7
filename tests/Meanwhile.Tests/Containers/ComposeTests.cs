using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Containers;

/// <summary>The compose files, as a user runs them. Container names are fixed, so these tests stay in one class: one at a time.</summary>
[Trait("peer", "docker")]
public class ComposeTests
{
    private const string Quiet = "docker-compose.yml";
    private const string Debug = "docker-compose-debug.yml";

    private static readonly string[] Containers = ["mosquitto", "subscriber", "stats_subscriber", "publisher"];

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public async Task Only_tables_are_seen_and_each_process_waits_for_the_one_before_to_be_healthy(string version)
    {
        await using var project = await ComposeProject.CreateAsync(version, Quiet);
        project.Start(version == "v1" ? ["up", "--build"] : ["up", "--build", "--attach", "stats_subscriber"]);
        await project.HearAsync("a table", heard => heard.Count >= 3);

        foreach (var container in Containers)
            Assert.DoesNotMatch("\t0\b", (await project.ExecuteAsync(container, "", "grep", "^Uid", "/proc/1/status")).Output);

        await project.StopAsync();
        string[] expected =
        [
            "start mosquitto", "health_status: healthy mosquitto",
            "start subscriber", "health_status: healthy subscriber",
            "start stats_subscriber", "health_status: healthy stats_subscriber",
            "start publisher",
        ];
        Assert.Equal(expected, await project.EventsAsync()); // Not before: the engine tells of a start when the process is at work already.
        var first = (await project.ReadingsAsync())[0];
        Assert.DoesNotContain(project.Heard, line => line.Container != "stats_subscriber");
        Assert.Equal(Table(first), project.Heard.Take(3).Select(line => line.Text).ToArray());
        Assert.Equal(0, project.Heard.Count % 3);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public async Task Nothing_is_lost_while_the_subscriber_is_away_and_the_broker_restarts(string version)
    {
        await using var project = await ComposeProject.CreateAsync(version, Quiet);
        await project.ComposeAsync("up", "--build", "-d");
        await Until.TrueAsync(async () => (await TablesAsync()).Length >= 3, () => "no table");

        await project.ComposeAsync("stop", "publisher");
        await project.ComposeAsync("stop", "subscriber");
        var before = await project.ReadingsAsync();
        Assert.Equal(Table(before[0]), (await TablesAsync())[..3]);

        // More than the broker would keep by default, and other numbers than the publisher's.
        var away = Enumerable.Range(1_001, 3_000).Select(n => (long)n).ToArray();
        await project.ExecuteAsync("mosquitto", string.Join('\n', away) + '\n', "mosquitto_pub", "-t", "DATA", "-q", "1", "-l");
        await project.ComposeAsync("restart", "mosquitto");
        await project.ComposeAsync("start", "subscriber");
        long[] all = [.. before, .. away];
        var mean = $"  {all.Average(),11:G6}";
        await Until.TrueAsync(async () => (await TablesAsync())[^1].EndsWith(mean, StringComparison.Ordinal), () => $"not seen: avg_30min = {mean}");

        await project.ComposeAsync("stop", "subscriber");
        Assert.Equal(all, await project.ReadingsAsync());

        async Task<string[]> TablesAsync() => (await project.DockerAsync("logs", "stats_subscriber")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public async Task The_debug_file_lets_every_process_be_heard_and_all_stop_in_order(string version)
    {
        await using var project = await ComposeProject.CreateAsync(version, Debug);
        project.Start("up", "--build");
        await project.HearAsync("a message on its whole way", heard =>
            Has(heard, "publisher", "published {\"number\": ") && Has(heard, "mosquitto", "Received PUBLISH from publisher")
            && Has(heard, "subscriber", "received DATA: {\"number\": ") && Has(heard, "stats_subscriber", "avg_30min"));
        await project.StopAsync();

        foreach (var container in Containers)
            Assert.Equal("0\n", (await project.DockerAsync("inspect", "--format", "{{.State.ExitCode}}", container)).Output);
        var readings = (await project.ReadingsAsync()).Count;
        var ledger = $"ledger: received {readings} = committed {readings} + quarantined 0 + duplicates 0 + expired 0; acknowledged {readings}; with DUP 0\n";
        Assert.EndsWith(ledger, (await project.DockerAsync("logs", "subscriber")).Error, StringComparison.Ordinal);

        static bool Has(IEnumerable<(string Container, string Text)> heard, string container, string text) =>
            heard.Any(line => line.Container == container && line.Text.Contains(text, StringComparison.Ordinal));
    }

    /// <summary>The seed's table of a first whole number, which is every mean.</summary>
    private static string[] Table(long number) =>
    [
        "  avg_1min    avg_5min    avg_30min",
        "----------  ----------  -----------",
        $"{number,10}  {number,10}  {number,11}",
    ];
}
