using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The table is a viewer: it sees what is published while it runs, all of it, and leaves nothing behind.</summary>
public sealed partial class WatchTests : MosquittoTest
{
    private const string Head = "  avg_1min\n----------\n";

    [Fact]
    public async Task A_closed_viewer_leaves_no_session_that_fills_up_and_a_new_one_prints_no_backlog()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var first = await WatchAsync(mosquitto);
        await PublishResultAsync(mosquitto, "STATS", 1);
        await first.WaitAsync(() => first.Output == Table(1), "the first table");
        Assert.Equal(0, await first.TerminateAsync());
        await Gone(mosquitto, first);

        await PublishResultAsync(mosquitto, "STATS", 2);
        var second = await WatchAsync(mosquitto);
        Assert.NotEqual(ClientIdOf(first), ClientIdOf(second));
        await PublishResultAsync(mosquitto, "STATS", 3);
        await second.WaitAsync(() => second.Output == Table(3), "the third table alone");
    }

    [Fact]
    public async Task Any_number_of_viewers_see_everything_at_once()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        List<RunningProgram> viewers = [await WatchAsync(mosquitto), await WatchAsync(mosquitto), await WatchAsync(mosquitto)];
        for (var i = 1; i <= 3; i++)
            await PublishResultAsync(mosquitto, "STATS", i);
        foreach (var viewer in viewers)
            await viewer.WaitAsync(() => viewer.Output == Table(1) + Table(2) + Table(3), "three tables");
        Assert.Equal(3, viewers.Select(ClientIdOf).Distinct().Count());
        Assert.All(viewers, viewer => Assert.Matches("^stats_subscriber-[0-9a-z]{6}$", ClientIdOf(viewer)));
    }

    [Fact]
    public async Task A_client_id_that_was_used_before_starts_anew_and_shows_nothing_of_its_earlier_subscriptions()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await Peer("mosquitto_sub", "-p", $"{mosquitto.Port}", "-i", "mine", "-c", "-q", "1", "-t", "STATS/#", "-t", "OTHER", "-E").ExitAsync());
        await PublishResultAsync(mosquitto, "STATS", 1);
        var watch = Run(mosquitto.Address, "watch", "--client-id", "mine");
        await watch.SaysAsync("subscribed to STATS\n");
        await PublishResultAsync(mosquitto, "STATS/a", 2);
        await PublishResultAsync(mosquitto, "OTHER", 3);
        await PublishResultAsync(mosquitto, "STATS", 4);
        await watch.WaitAsync(() => watch.Output.Length > 0, "a table");
        Assert.Equal(Table(4), watch.Output);
    }

    [Theory]
    [InlineData("--stats-topic", "STATS/#")]
    [InlineData("--stats-topic", "STATS/+")]
    [InlineData("--topic", "plant/#")] // Results of many series go below STATS.
    public async Task With_wildcards_each_table_has_its_topic_before_it_from_the_first_on(string option, string filter)
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var watch = Run(mosquitto.Address, "watch", option, filter);
        await watch.SaysAsync(option == "--topic" ? "subscribed to STATS/#" : $"subscribed to {filter}");
        await PublishResultAsync(mosquitto, "STATS/a", 1);
        await PublishResultAsync(mosquitto, "STATS/ü\u202e", 2);
        await PublishResultAsync(mosquitto, "STATS/a", 3);
        await watch.WaitAsync(() => watch.Output == $"STATS/a\n{Table(1)}STATS/ü\ufffd\n{Table(2)}STATS/a\n{Table(3)}", "three tables with their topics");
    }

    [Fact]
    public async Task While_it_runs_a_lost_connection_loses_nothing()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        using var proxy = new TcpProxy(mosquitto.Port);
        var watch = Run($"127.0.0.1:{proxy.Port}", "watch");
        await watch.SaysAsync("subscribed to STATS");
        await PublishResultAsync(mosquitto, "STATS", 1);
        await watch.WaitAsync(() => watch.Output == Table(1), "the first table");
        proxy.Next = Cut.BeforeAnswer; // The next result does not reach it, and both connections end.
        await PublishResultAsync(mosquitto, "STATS", 2);
        await PublishResultAsync(mosquitto, "STATS", 3);
        // At QoS 1, what was not acknowledged before the end of its connection comes again.
        await watch.WaitAsync(() => string.Concat(watch.Output.Split(Head).Skip(1).Distinct().Select(row => Head + row)) == Table(1) + Table(2) + Table(3), "three tables");
        Assert.Equal(0, await watch.TerminateAsync());
        await Gone(mosquitto, watch);
    }

    [GeneratedRegex(@"connected to \S+ as (\S+) ")]
    private static partial Regex Connected();

    private static string ClientIdOf(RunningProgram watch) => Connected().Match(watch.Error).Groups[1].Value;

    private static string Table(int value) => $"{Head}{value,10}\n";

    private Task PublishResultAsync(MosquittoServer mosquitto, string topic, int value) => PublishAsync(mosquitto, topic, $$"""{"avg_1min": {{value}}}""", "-q", "1");

    // A client of 3.1.1 that would carry on with its session is told that there is none.
    private async Task Gone(MosquittoServer mosquitto, RunningProgram watch)
    {
        var client = Peer("mosquitto_sub", "-p", $"{mosquitto.Port}", "-i", ClientIdOf(watch), "-c", "-q", "1", "-t", "nothing", "-E");
        Assert.Equal(0, await client.ExitAsync());
        await mosquitto.SaysAsync($"Sending CONNACK to {ClientIdOf(watch)} (0, 0)");
    }
}
