using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>An abandoned session fills: it is said, shown and ended, while the broker runs and when it does not.</summary>
public sealed class BrokerSessionsTests : HttpTest
{
    private const string Away = "rawK"; // The client of RawSubscriber.
    private const string BrokerFile = "tmp/broker.db";

    [Fact]
    public async Task A_session_that_fills_is_said_shown_and_ended_while_the_broker_runs()
    {
        var broker = await BrokerAsync("--max-queued", "20", "--sys-interval", "1s");
        var port = MqttPortOf(broker);
        await new RawSubscriber(port, qos: 1).SubscribeAsync();
        using var sender = await MqttSender.ConnectAsync(port);
        for (var i = 0; i < 20; i++)
            await sender.SendAsync("DATA", $"{i}");
        await broker.SaysAsync($"the queue of the subscriber '{Away}' is half full: 10 of 20 messages");
        await broker.SaysAsync($"the queue of the subscriber '{Away}' is nine tenths full: 18 of 20 messages");
        await broker.SaysAsync($"the queue of the subscriber '{Away}' is full, and publishers to it are refused: 20 of 20 messages");

        var session = Assert.Single(await ListAsync());
        Assert.Equal((Away, false, 20, 1, 604_800), (session.GetProperty("client").GetString(), session.GetProperty("connected").GetBoolean(), session.GetProperty("messages").GetInt32(), session.GetProperty("subscriptions").GetInt32(), session.GetProperty("expiry").GetInt32()));
        Assert.Equal(20 * 128 + 20 * 4 + 30, session.GetProperty("bytes").GetInt32()); // Topics and payloads.
        Assert.InRange(session.GetProperty("away_since").GetDateTimeOffset(), TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(2), TimeProvider.System.GetUtcNow());
        var (_, table, _) = await SessionsAsync("list");
        Assert.Matches($"away \\S+Z +604800s +20 +2670 +1  {Away}\n$", table);

        Assert.Equal(0, (await SessionsAsync("end", Away)).ExitCode);
        await broker.SaysAsync($"the session of '{Away}' was ended");
        Assert.Empty(await ListAsync());
        await sender.SendAsync("DATA", "nobody waits for it"); // It is not refused any more: a client of 3.1.1 would be disconnected.
        await new RawSubscriber(port, qos: 1).SubscribeAsync(); // Without a session of an earlier time.

        var (exitCode, _, error) = await SessionsAsync("end", "somebody else");
        Assert.Equal((1, $"meanwhile: {BrokerFile}: there is no session of 'somebody else': expected a client identifier that meanwhile broker sessions list shows\n"), (exitCode, error));
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Equal("0", ReadingsFile.Query(Folder[BrokerFile], "SELECT COUNT(*) FROM requests")[0]);
    }

    [Fact]
    public async Task A_client_that_is_connected_is_disconnected_when_its_session_is_ended()
    {
        var broker = await BrokerAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, MqttPortOf(broker), TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Convert.FromHexString("101000044D5154540400000000047261774B"), TestContext.Current.CancellationToken);
        await client.GetStream().ReadExactlyAsync(new byte[4], TestContext.Current.CancellationToken);
        Assert.True(Assert.Single(await ListAsync()).GetProperty("connected").GetBoolean());
        Assert.Equal(0, (await SessionsAsync("end", Away)).ExitCode);
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken));
        Assert.Empty(await ListAsync());
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task A_session_is_shown_and_ended_when_no_broker_runs_and_after_a_kill()
    {
        var broker = await BrokerAsync();
        await new RawSubscriber(MqttPortOf(broker), qos: 1).SubscribeAsync();
        using (var sender = await MqttSender.ConnectAsync(MqttPortOf(broker)))
            await sender.SendAsync("DATA", "1");
        await broker.KillAsync();
        Assert.Equal(1, Assert.Single(await ListAsync()).GetProperty("messages").GetInt32());
        Assert.Equal(0, (await SessionsAsync("end", Away)).ExitCode);
        Assert.Empty(await ListAsync());
        Assert.Equal("0", ReadingsFile.Query(Folder[BrokerFile], "SELECT COUNT(*) FROM queue")[0]);
        broker = await BrokerAsync();
        await new RawSubscriber(MqttPortOf(broker), qos: 1).SubscribeAsync();
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task A_request_that_was_not_answered_in_time_ends_no_session_of_a_later_time()
    {
        var broker = await BrokerAsync();
        await new RawSubscriber(MqttPortOf(broker), qos: 1).SubscribeAsync();
        await broker.KillAsync();
        using (var requests = new SessionRequests(Folder[BrokerFile]))
            requests.Ask(Away, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 1);
        broker = await BrokerAsync();
        await Until.TrueAsync(() => ReadingsFile.Query(Folder[BrokerFile], "SELECT COUNT(*) FROM requests")[0] == "0", () => "the broker does not look at requests");
        Assert.Single(await ListAsync());
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task The_broker_of_an_aggregator_drops_for_the_full_queue_alone_when_told_to_and_shows_it()
    {
        var (program, http, mqtt) = await ServeAsync("--max-queued", "20", "--when-full", "drop", "--topic", "readings");
        await new RawSubscriber(mqtt, qos: 1).SubscribeAsync();
        using var sender = await MqttSender.ConnectAsync(mqtt);
        for (var i = 0; i < 30; i++)
            await sender.SendAsync("DATA", $"{i}");
        await program.SaysAsync($"the queue of the subscriber '{Away}' is full, and newer messages for it are dropped: 20 of 20 messages");
        var metrics = await Client.GetStringAsync(new Uri(http, "/metrics"), TestContext.Current.CancellationToken);
        foreach (var line in new[]
            {
                "meanwhile_broker_messages_dropped_total 10", $"meanwhile_broker_queue_fill{{client=\"{Away}\"}} 1",
                "meanwhile_broker_queues{level=\"half\"} 1", "meanwhile_broker_queues{level=\"nine_tenths\"} 1", "meanwhile_broker_queues{level=\"full\"} 1",
            })
        {
            Assert.Contains($"\n{line}\n", metrics, StringComparison.Ordinal);
        }
        Assert.Equal(20, Assert.Single(await ListAsync("tmp/test.db.broker")).GetProperty("messages").GetInt32());
        System.IO.File.CreateSymbolicLink(Folder["link"], Folder["tmp/test.db.broker"]);
        Assert.Equal(0, (await SessionsAsync("end", Away, "--db", "link")).ExitCode);
        Assert.Empty(await ListAsync("tmp/test.db.broker"));
        Assert.Equal(0, await program.TerminateAsync());
    }

    [Fact]
    public async Task Files_that_are_no_brokers_are_refused_and_say_what_is_expected()
    {
        var broker = await BrokerAsync();
        var (exitCode, _, error) = await SessionsAsync("list", "--db", "nothing.db");
        Assert.Equal((1, "meanwhile: nothing.db does not exist: expected the file of a broker, which is FILE of meanwhile broker --db FILE, or DB_FILE.broker of an aggregator\n"), (exitCode, error));
        ReadingsFile.Query(Folder["readings.db"], "CREATE TABLE messages (number, epochtime)");
        (exitCode, _, error) = await SessionsAsync("end", Away, "--db", "readings.db");
        Assert.Equal((1, "meanwhile: readings.db is no file of a broker: expected FILE of meanwhile broker --db FILE, or DB_FILE.broker of an aggregator\n"), (exitCode, error));
        Assert.Equal(0, await broker.TerminateAsync());
    }

    private async Task<List<JsonElement>> ListAsync(string file = BrokerFile)
    {
        var (exitCode, output, error) = await SessionsAsync("list", "--format", "json", "--db", file);
        Assert.True(exitCode == 0, error);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    private async Task<(int ExitCode, string Output, string Error)> SessionsAsync(params string[] arguments)
    {
        var program = Meanwhile(["broker", "sessions", .. arguments]);
        return (await program.ExitAsync(), program.Output, program.Error);
    }

    private async Task<RunningProgram> BrokerAsync(params string[] more)
    {
        var broker = Meanwhile(["broker", "--listen", "127.0.0.1:0", .. more]);
        await broker.SaysAsync("is listening");
        return broker;
    }
}
