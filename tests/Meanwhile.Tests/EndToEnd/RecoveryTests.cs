using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Kills, restarts, take-overs and brokers that come and go: nothing is lost, and at QoS 2 nothing counts twice.</summary>
public sealed partial class RecoveryTests : MosquittoTest
{
    private const int Messages = 1500;

    [Theory]
    [InlineData("1", "KILL")]
    [InlineData("2", "KILL")]
    [InlineData("2", "TERM")]
    public async Task Every_reading_is_in_the_file_after_the_aggregator_was_killed_under_load(string qos, string signal)
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var aggregate = await AggregateAsync(mosquitto);
        var publisher = Peer("mosquitto_pub", "-p", mosquitto.Port.ToString(), "-t", "DATA", "-q", qos, "-l");
        for (var i = 0; i < Messages; i++)
        {
            await publisher.Input.WriteLineAsync($$"""{"number": {{i}}, "epochtime": "{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}}"}""");
            if (i % 10 == 9)
                await publisher.Input.FlushAsync(TestContext.Current.CancellationToken);
            if (i is 300 or 700 or 1100)
            {
                await Until.TrueAsync(() => Rows() > i / 10, () => aggregate.Error);
                var exitCode = await aggregate.SignalAsync(signal);
                Assert.True(signal == "KILL" || exitCode == 0, aggregate.Error);
                if (signal == "TERM")
                    AssertBalance(aggregate.Error);
            }
            if (i is 500 or 900 or 1300)
                aggregate = await AggregateAsync(mosquitto);
        }
        publisher.Input.Close();
        Assert.Equal(0, await publisher.ExitAsync());

        await Until.TrueAsync(() => Distinct() == Messages, () => $"{Distinct()} of {Messages} arrived; {aggregate.Error}");
        if (qos == "2")
            Assert.Equal(Messages, Rows());
        Assert.Equal(0, await aggregate.TerminateAsync());
        AssertBalance(aggregate.Error);
    }

    [Fact]
    public async Task It_stops_in_good_order_also_while_it_reads_the_file_back()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await (await AggregateAsync(mosquitto)).TerminateAsync());
        ReadingsFile.Query(Database, """
            INSERT INTO messages (number, epochtime)
            WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000) SELECT n, UNIXEPOCH() FROM numbers
            """);
        var aggregate = await AggregateAsync(mosquitto); // Which it says while it reads.
        Assert.Equal(0, await aggregate.TerminateAsync()); // It need not read to the end for that.
        Assert.EndsWith("ledger: received 0 = committed 0 + quarantined 0 + duplicates 0 + expired 0; acknowledged 0; with DUP 0\n", aggregate.Error, StringComparison.Ordinal);
        Assert.Equal(["1000000"], ReadingsFile.Query(Database, "SELECT COUNT(*) FROM messages"));
    }

    [Fact]
    public async Task A_broker_that_is_away_is_waited_for_and_that_is_said_once()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        await mosquitto.StopAsync();
        var aggregate = Run(mosquitto.Address, "aggregate", "--verbose");
        var watch = Run(mosquitto.Address, "watch", "--verbose");
        var publish = Run(mosquitto.Address, "publish", "--verbose", "--count", "3", "--rate", "1000");
        foreach (var program in new[] { aggregate, watch, publish })
            await program.SaysAsync("is still not there");

        await mosquitto.StartAsync();
        Assert.Equal(0, await publish.ExitAsync());
        foreach (var program in new[] { aggregate, watch })
            await program.SaysAsync("subscribed to");
        await PublishAsync(mosquitto, "DATA", "1", "-q", "1");
        await watch.WaitAsync(() => watch.Output.Contains("avg_1min", StringComparison.Ordinal), "a table is there");

        await mosquitto.StopAsync();
        foreach (var program in new[] { aggregate, watch })
            await program.SaysAsync("is lost");
        await mosquitto.StartAsync();
        foreach (var program in new[] { aggregate, watch })
            await program.WaitAsync(() => Times("connected to", program.Error) == 2, "it is connected again");
        var tables = Times("avg_1min", watch.Output);
        await PublishAsync(mosquitto, "DATA", "2", "-q", "1");
        await watch.WaitAsync(() => Times("avg_1min", watch.Output) > tables, "another table is there");

        foreach (var program in new[] { aggregate, watch })
        {
            Assert.Equal(1, Times("is not there", program.Error));
            Assert.Equal(1, Times("is lost", program.Error));
            Assert.Equal(0, await program.TerminateAsync());
        }
        Assert.Equal(1, Times("is not there", publish.Error));
    }

    [Theory]
    [InlineData("aggregate")]
    [InlineData("watch")]
    [InlineData("publish")]
    public async Task A_second_client_with_the_same_id_does_not_take_over_for_ever_and_one_says_why_it_leaves(string verb)
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var first = Run(mosquitto.Address, verb, "--client-id", "twin");
        await first.SaysAsync("connected to");
        var second = verb == "aggregate" ? Run(mosquitto.Address, verb, "--client-id", "twin", "--db", "other.db") : Run(mosquitto.Address, verb, "--client-id", "twin");
        await second.SaysAsync("connected to");

        // mosquitto 2.0.11 does not say why it closes the first one's connection, so it takes the two a few rounds to find out.
        await Until.TrueAsync(() => first.HasExited || second.HasExited, () => "one gives up");
        var (leaves, stays) = first.HasExited ? (first, second) : (second, first);
        Assert.Equal(1, await leaves.ExitAsync());
        Assert.Equal("meanwhile: another client has connected with the client id 'twin' and taken the session over: stop it, or give one of the two a --client-id of its own", LastLine(leaves.Error));
        Assert.InRange(Times("connected to", leaves.Error), 1, 4);
        Assert.True(await stays.TerminateAsync() == 0, stays.Error + leaves.Error);
    }

    [Fact]
    public async Task A_retained_reading_counts_once_however_often_we_start()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        await PublishAsync(mosquitto, "DATA", "21.5", "-q", "1", "-r");
        for (var start = 0; start < 3; start++)
        {
            var aggregate = await AggregateAsync(mosquitto);
            await PublishAsync(mosquitto, "DATA", start.ToString(), "-q", "1");
            await Until.TrueAsync(() => Rows() == start + 2, () => aggregate.Error);
            Assert.Equal(0, await aggregate.TerminateAsync());
        }
    }

    [Fact]
    public async Task When_the_topic_changes_the_old_one_is_unsubscribed()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await (await AggregateAsync(mosquitto)).TerminateAsync());
        var aggregate = await AggregateAsync(mosquitto, "--topic", "OTHER");
        await PublishAsync(mosquitto, "DATA", "1", "-q", "1");
        await PublishAsync(mosquitto, "OTHER", "2", "-q", "1");
        await Until.TrueAsync(() => Rows() == 1, () => aggregate.Error);
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("received 1 = committed 1", aggregate.Error, StringComparison.Ordinal);
    }

    private static int Times(string text, string within) => Regex.Count(within, Regex.Escape(text));

    private static string LastLine(string text) => text.TrimEnd('\n').Split('\n')[^1];

    private static void AssertBalance(string error)
    {
        var ledger = Ledger().Match(error);
        Assert.True(ledger.Success, error);
        var numbers = ledger.Groups.Values.Skip(1).Select(g => long.Parse(g.Value)).ToList();
        Assert.Equal(numbers[0], numbers[1] + numbers[2] + numbers[3] + numbers[4]);
        Assert.InRange(numbers[5], 0, numbers[0]);
    }

    [GeneratedRegex(@"ledger: received (\d+) = committed (\d+) \+ quarantined (\d+) \+ duplicates (\d+) \+ expired (\d+); acknowledged (\d+);")]
    private static partial Regex Ledger();

    private int Distinct() => int.Parse(ReadingsFile.Query(Database, "SELECT COUNT(DISTINCT number) FROM messages")[0]);
}
