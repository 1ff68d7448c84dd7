using System.Text.RegularExpressions;
using Meanwhile.Terminal;
using Meanwhile.Tests.Support;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The seed's processes as processes, around a real mosquitto; each of them swapped for an independent client in turn.</summary>
public sealed partial class MosquittoTests : MosquittoTest
{
    private const string Header = "  avg_1min    avg_5min    avg_30min\n----------  ----------  -----------\n";

    [Fact]
    public async Task Publisher_aggregator_and_table_work_as_three_processes()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var aggregate = await AggregateAsync(mosquitto);
        var watch = await WatchAsync(mosquitto);
        var publish = Run(mosquitto.Address, "publish", "--count", "25", "--rate", "50", "--seed", "1");

        Assert.Equal(0, await publish.ExitAsync());
        Assert.Contains("25 messages published, all acknowledged", publish.Error, StringComparison.Ordinal);
        await Until.TrueAsync(() => Rows() == 25, () => aggregate.Error);
        var mean = GeneralFormat.Format(ReadingsFile.ExactMean(ReadingsFile.Readings(Database).Select(r => r.Value))!.Value);
        var last = $"{Header}{mean,10}  {mean,10}  {mean,11}\n";
        await watch.WaitAsync(() => watch.Output.EndsWith(last, StringComparison.Ordinal), $"the table ends with\n{last}");
        Assert.Matches(OnlyTables(), watch.Output);

        Assert.Equal(0, await watch.TerminateAsync());
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("ledger: received 25 = committed 25 + quarantined 0 + duplicates 0 + expired 0; acknowledged 25; with DUP 0", aggregate.Error, StringComparison.Ordinal);
        Assert.Equal("", aggregate.Output);
        Assert.Equal("", publish.Output);
    }

    [Theory]
    [InlineData("mosquitto")]
    [InlineData("embedded")]
    public async Task Clearing_a_retained_message_is_ignored_and_leaves_nothing_in_the_quarantine(string broker)
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var isEmbedded = broker == "embedded";
        var port = isEmbedded ? Loopback.FreePort() : mosquitto.Port;
        var aggregate = Run(isEmbedded ? $"embedded://127.0.0.1:{port}" : mosquitto.Address, "aggregate");
        await aggregate.SaysAsync(isEmbedded ? "read back" : "subscribed to");
        foreach (var payload in new[] { new[] { "-m", "5" }, ["-n"] })
            Assert.Equal(0, await Peer("mosquitto_pub", ["-p", $"{port}", "-t", "DATA", "-q", "1", "-r", .. payload]).ExitAsync());
        await aggregate.SaysAsync("ignored: the payload is empty");
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("ledger: received 2 = committed 1 + quarantined 0 + duplicates 0 + expired 0 + ignored 1; acknowledged 2; with DUP 0", aggregate.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_publisher_sends_the_seeds_bytes()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var peer = await SubscribeAsync(mosquitto, "DATA", "%q %r %t %p");
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal(0, await Run(mosquitto.Address, "publish", "--count", "3", "--rate", "100").ExitAsync());
        Assert.Equal(0, await Run(mosquitto.Address, "publish", "--count", "1", "--qos", "0").ExitAsync());
        Assert.Equal(0, await Run(mosquitto.Address, "publish", "--count", "1", "--qos", "2").ExitAsync());
        await peer.WaitAsync(() => peer.Output.Count(c => c == '\n') == 5, "five messages arrived");

        var lines = peer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["1", "1", "1", "0", "2"], lines.Select(l => l[..1]));
        foreach (var line in lines)
        {
            var match = SeedPayload().Match(line);
            Assert.True(match.Success, line);
            Assert.InRange(int.Parse(match.Groups["number"].Value), 1, 100);
            Assert.InRange(long.Parse(match.Groups["time"].Value), before, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        }
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_numbers()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var peer = await SubscribeAsync(mosquitto, "DATA", "%p");
        for (var i = 0; i < 2; i++)
            Assert.Equal(0, await Run(mosquitto.Address, "publish", "--count", "5", "--rate", "1000", "--seed", "7").ExitAsync());
        await peer.WaitAsync(() => peer.Output.Count(c => c == '\n') == 10, "ten messages arrived");

        var numbers = peer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l[..l.IndexOf(',', StringComparison.Ordinal)]).ToList();
        Assert.Equal(numbers.Take(5), numbers.Skip(5));
    }

    [Fact]
    public async Task The_aggregator_works_between_independent_clients()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        await AggregateAsync(mosquitto);
        var peer = await SubscribeAsync(mosquitto, "STATS", "%q %r %t %p");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var expected = "";
        foreach (var (qos, number, mean) in new[] { ("0", "46", "46"), ("1", "45.5", "45.75"), ("2", "47", "46.166666666666664") })
        {
            await PublishAsync(mosquitto, "DATA", $$"""{"number": {{number}}, "epochtime": "{{now}}"}""", "-q", qos);
            expected += $$"""1 0 STATS {"avg_1min": {{mean}}, "avg_5min": {{mean}}, "avg_30min": {{mean}}}""" + "\n";
            await peer.WaitAsync(() => peer.Output == expected, $"it received\n{expected}");
        }
    }

    [Fact]
    public async Task The_table_shows_an_independent_publishers_results()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var watch = await WatchAsync(mosquitto);
        await PublishAsync(mosquitto, "STATS", "this is no result");
        await PublishAsync(mosquitto, "STATS", """{"avg_1min": 46.0, "avg_5min": 45.7, "avg_30min": 47.17777777777778}""", "-q", "1");
        await watch.WaitAsync(() => watch.Output == Header + "        46        45.7      47.1778\n", "the table is there");
        Assert.Contains("this is no result: not valid JSON (topic STATS)", watch.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_wildcards_each_series_has_its_own_results()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var aggregate = await AggregateAsync(mosquitto, "--topic", "#");
        var peer = await SubscribeAsync(mosquitto, "STATS/#", "%t %p");
        await PublishAsync(mosquitto, "plant/a", "5");
        await PublishAsync(mosquitto, "plant/\u00fc b", "7");
        await peer.WaitAsync(() => peer.Output.Count(c => c == '\n') == 2, "two results arrived");

        Assert.Contains("""STATS/plant/a {"avg_1min": 5,""", peer.Output, StringComparison.Ordinal);
        Assert.Contains("STATS/plant/\u00fc b {\"avg_1min\": 7,", peer.Output, StringComparison.Ordinal);
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("received 2 = committed 2", aggregate.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_published_while_the_aggregator_is_away_arrives_afterwards()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await (await AggregateAsync(mosquitto)).TerminateAsync());
        await PublishAsync(mosquitto, "DATA", "1", "-q", "1");
        await PublishAsync(mosquitto, "DATA", "2", "-q", "2");
        await AggregateAsync(mosquitto);
        await Until.TrueAsync(() => Rows() == 2, () => "two rows");
    }

    [Fact]
    public async Task A_result_for_which_mosquitto_ends_the_connection_is_given_up_and_the_others_go_on()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var aggregate = await AggregateAsync(mosquitto, "--topic", "#");
        var peer = await SubscribeAsync(mosquitto, "STATS/plant/#", "%t");
        await PublishAsync(mosquitto, string.Join('/', Enumerable.Repeat("x", 201)), "1", "-q", "1"); // It takes 200 slashes, and no more.
        await PublishAsync(mosquitto, "plant/a", "5", "-q", "1");
        await aggregate.SaysAsync("the broker refuses a result (it ends the connection whenever one is sent to 'STATS/x/x/");
        await PublishAsync(mosquitto, "plant/b", "5", "-q", "1");
        await peer.WaitAsync(() => peer.Output.Contains("STATS/plant/a\n", StringComparison.Ordinal) && peer.Output.Contains("STATS/plant/b\n", StringComparison.Ordinal), "both results");
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Matches(@"ledger: .*; results refused by the broker 1\n", aggregate.Error); // What was not acknowledged by then came again.
    }

    [Fact]
    public async Task A_result_that_is_larger_than_mosquitto_takes_is_not_sent_and_the_others_go_on()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path, "max_packet_size 200");
        var aggregate = await AggregateAsync(mosquitto, "--topic", "#");
        var peer = await SubscribeAsync(mosquitto, "STATS/#", "%t");
        await PublishAsync(mosquitto, new string('x', 150), "1", "-q", "1");
        await aggregate.SaysAsync("the broker refuses a result (it takes packets of at most 200 bytes)");
        await PublishAsync(mosquitto, "a", "5", "-q", "1");
        await peer.WaitAsync(() => peer.Output == "STATS/a\n", "the other result");
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Matches(@"ledger: received 2 = committed 2 .*; results refused by the broker 1\n", aggregate.Error);
    }

    [GeneratedRegex(@"^[012] 0 DATA \{""number"": (?<number>\d+), ""epochtime"": ""(?<time>\d{10})""\}$")]
    private static partial Regex SeedPayload();

    [GeneratedRegex(@"\A(  avg_1min    avg_5min    avg_30min\n----------  ----------  -----------\n *[\d.]+ +[\d.]+ +[\d.]+\n)+\z")]
    private static partial Regex OnlyTables();
}
