using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Without any peer: the demo, and the embedded broker with our own publisher and table.</summary>
public sealed partial class EmbeddedTests : ProgramTest
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task The_demo_shows_tables_of_readings_in_a_file_and_stops_in_good_order(string signal)
    {
        var demo = Meanwhile(["demo", "--interval", "0.05-0.1", "--seed", "1"]);
        await demo.WaitAsync(() => Regex.Count(demo.Output, "avg_1min") >= 5, "five tables are there");
        Assert.StartsWith("  avg_1min    avg_5min    avg_30min\n----------  ----------  -----------\n", demo.Output, StringComparison.Ordinal);

        Assert.Equal(0, await demo.SignalAsync(signal));
        var ledger = Ledger().Match(demo.Error);
        Assert.True(ledger.Success, demo.Error);
        Assert.Equal(ledger.Groups[1].Value, ReadingsFile.Query(Database, "SELECT COUNT(*) FROM messages")[0]);
        Assert.DoesNotContain("   at ", demo.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_goes_on_with_the_readings_of_an_earlier_one()
    {
        for (var start = 0; start < 2; start++)
        {
            var demo = Meanwhile(["demo", "--interval", "30"]);
            await demo.WaitAsync(() => demo.Output.Contains("avg_1min", StringComparison.Ordinal), "the first table comes at once");
            Assert.Equal(0, await demo.TerminateAsync());
        }
        Assert.Equal("2", ReadingsFile.Query(Database, "SELECT COUNT(*) FROM messages")[0]);
    }

    [Fact]
    public async Task What_the_embedded_broker_has_acknowledged_survives_a_kill()
    {
        var port = MosquittoServer.FreePort();
        var aggregate = await AggregateAsync(port);
        var publish = Meanwhile(
            ["publish", "--count", "500", "--rate", "500", "--verbose"], ("BROKER", $"127.0.0.1:{port}"));
        for (var kill = 0; kill < 2; kill++)
        {
            var sofar = Published(publish);
            await publish.WaitAsync(() => Published(publish) > sofar + 50, "readings are acknowledged");
            await aggregate.KillAsync();
            var acknowledged = Published(publish);
            Assert.InRange(Rows(), acknowledged, int.MaxValue);
            aggregate = await AggregateAsync(port);
        }
        Assert.Equal(0, await publish.ExitAsync());
        Assert.InRange(Rows(), 500, int.MaxValue);
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    [Fact]
    public async Task The_plain_broker_serves_the_other_verbs()
    {
        var port = MosquittoServer.FreePort();
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{port}"]);
        await broker.SaysAsync("is listening");
        (string, string) setting = ("BROKER", $"127.0.0.1:{port}");
        var aggregate = Meanwhile(["aggregate"], setting);
        var watch = Meanwhile(["watch"], setting);
        await aggregate.SaysAsync("subscribed to");
        await watch.SaysAsync("subscribed to");
        var publish = Meanwhile(["publish", "--count", "2", "--rate", "10", "--qos", "2"], setting);
        Assert.Equal(0, await publish.ExitAsync());
        await watch.WaitAsync(() => watch.Output.Contains("avg_1min", StringComparison.Ordinal), "a table is there");
        foreach (var program in new[] { watch, aggregate, broker })
            Assert.Equal(0, await program.TerminateAsync());
    }

    private static int Published(RunningProgram publish) => Regex.Count(publish.Error, "published \\{");

    [GeneratedRegex(@"ledger: received \d+ = committed (\d+) \+ quarantined 0 \+ duplicates 0 \+ expired 0; acknowledged \1; with DUP 0")]
    private static partial Regex Ledger();

    private async Task<RunningProgram> AggregateAsync(int port)
    {
        var aggregate = Meanwhile(["aggregate", "--broker", $"embedded://127.0.0.1:{port}"]);
        await aggregate.SaysAsync("read back");
        return aggregate;
    }
}
