using System.Collections.Concurrent;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>What an earlier process has left is judged by what its users may do now.</summary>
public class RestoredPermissionsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Now = Start - DateTimeOffset.UnixEpoch;

    private readonly FakeTimeProvider _time = new(Start);
    private readonly ConcurrentQueue<Refusal> _refusals = [];
    private readonly ConcurrentDictionary<string, Func<string, bool>> _may = []; // By user and client identifier.

    public static TheoryData<string> KindsOfWills => ["client was here", "its session was here", "delayed", "its session has ended meanwhile"];

    [Theory]
    [MemberData(nameof(KindsOfWills))]
    public async Task A_will_is_published_after_a_restart_only_if_its_user_may_still_write_there(string kind)
    {
        _may["ada a"] = topic => topic != "w/a";
        _may["bob b"] = topic => topic == "w/b";
        _may["bob a"] = _ => true;
        _may["ada b"] = _ => false;
        var store = new ManualStore([.. Left("a", "ada", 1, kind), .. Left("b", "bob", 2, kind)]);
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using var watcher = await WatchAsync(broker);
        _time.Advance(TimeSpan.FromSeconds(10));
        await watcher.ExpectAsync(kind is "delayed" ? "30 { 'w/b' \"gone\" }" : "31 { 'w/b' \"gone\" }"); // Retained, where nobody had subscribed yet.
        await Until.TrueAsync(() => store.Committed.OfType<WillForgotten>().Count() == 2, () => string.Join('\n', store.Committed));
        await watcher.ExpectNothingAsync();
        Assert.Equal([(RefusalKind.Message, "a", ReasonCode.NotAuthorized, "w/a")], _refusals.Select(refusal => (refusal.Kind, refusal.ClientId, refusal.Reason, refusal.Explanation)));
        Assert.Equal(["w/b"], store.Committed.OfType<RetainedChanged>().Select(change => change.Topic));
    }

    [Fact]
    public async Task A_will_that_waits_is_judged_by_what_its_user_may_do_when_its_time_has_come()
    {
        _may["ada a"] = _ => true;
        _may["bob b"] = _ => false;
        var store = new ManualStore([.. Left("a", "ada", 1, "delayed"), .. Left("b", "bob", 2, "delayed")]);
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using var watcher = await WatchAsync(broker);
        (_may["ada a"], _may["bob b"]) = (_ => false, _ => true);
        _time.Advance(TimeSpan.FromSeconds(10));
        await watcher.ExpectAsync("30 { 'w/b' \"gone\" }");
        await watcher.ExpectNothingAsync();
        Assert.Equal("w/a", Assert.Single(_refusals).Explanation);
    }

    [Fact]
    public async Task A_will_that_was_on_its_way_to_the_host_and_that_of_the_next_connection_are_each_judged_and_published()
    {
        (_may["ada c"], _may["bob c"]) = (topic => topic != "w/3", _ => true);
        static WillKept Of(long number, string user) => new("c", number, new Will($"w/{number}", "gone"u8.ToArray(), 0, Retain: true, default), DueAt: null) { User = user };
        var store = new ManualStore(Of(1, "ada"), Of(2, "bob"), Of(3, "ada"));
        store.EndAll();
        await using var broker = await StartAsync(store);
        await Until.TrueAsync(() => store.Committed.OfType<WillForgotten>().Count() == 3, () => string.Join('\n', store.Committed));
        Assert.Equal(["w/1", "w/2"], store.Committed.OfType<RetainedChanged>().Select(change => change.Topic));
        Assert.Equal("w/3", Assert.Single(_refusals).Explanation);
    }

    [Fact]
    public async Task A_will_is_kept_with_the_user_of_its_client()
    {
        var store = new ManualStore();
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 86 | 00 00 | 'c' | 'w' 'gone' | 'ada' }");
        await client.ExpectAsync("20 02 00 00");
        Assert.Equal("ada", Assert.Single(store.Committed.OfType<WillKept>()).User);
    }

    [Fact]
    public async Task A_session_gets_nothing_after_a_restart_that_its_user_may_not_read_though_it_is_subscribed_to_it()
    {
        _may["ada c"] = topic => topic == "ok";
        var store = new ManualStore(
            new SessionOpened("c", 100) { User = "ada" },
            new SubscriptionAdded("c", new SubscriptionRequest("no", 1), null),
            new SubscriptionAdded("c", new SubscriptionRequest("#", 1), null),
            Queued("c", 1, "no", "old"),
            Queued("c", 2, "ok", "old"),
            new SessionLeft("c", TimeSpan.MaxValue, 0));
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using (var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p"))
        {
            await publisher.SendAsync("32 { 'no' 00 01 \"new\" } | 32 { 'ok' 00 02 \"new\" }");
            await publisher.ExpectAsync("40 02 00 01 | 40 02 00 02");
        }
        Assert.Equal(["ok"], store.Committed.OfType<MessageQueued>().Select(queued => queued.Message.Topic));
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 80 | 00 00 | 'c' | 'ada' }");
        await client.ExpectAsync("20 02 01 00 | 32 { 'ok' 00 02 \"old\" } | 32 { 'ok' 00 03 \"new\" }");
        await client.ExpectNothingAsync();
        Assert.Equal(1, broker.Statistics.MessagesUnreadable);
    }

    [Fact]
    public async Task Of_sessions_that_share_a_subscription_one_whose_user_may_read_a_message_keeps_it()
    {
        (_may["ada a"], _may["bob b"]) = (_ => false, _ => true);
        var store = new ManualStore(
            new SessionOpened("a", 100) { User = "ada" },
            new SessionOpened("b", 100) { User = "bob" },
            new SubscriptionAdded("a", new SubscriptionRequest("$share/g/#", 1), null),
            new SubscriptionAdded("b", new SubscriptionRequest("$share/g/#", 1), null),
            new SessionLeft("a", TimeSpan.MaxValue, 0),
            new SessionLeft("b", TimeSpan.MaxValue, 0));
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("32 { 't' 00 01 \"1\" } | 32 { 't' 00 02 \"2\" } | 32 { 't' 00 03 \"3\" }");
        await publisher.ExpectAsync("40 02 00 01 | 40 02 00 02 | 40 02 00 03");
        Assert.Equal(["b", "b", "b"], store.Committed.OfType<MessageQueued>().Select(queued => queued.ClientId));
    }

    private static Change[] Left(string clientId, string user, long number, string kind)
    {
        var will = new Will($"w/{clientId}", Encoding.UTF8.GetBytes("gone"), 0, Retain: true, default);
        var opened = new SessionOpened(clientId, 100) { User = user };
        TimeSpan? dueAt = kind is "delayed" ? Now + TimeSpan.FromSeconds(10) : kind is "its session has ended meanwhile" ? Now - TimeSpan.FromSeconds(5) : null;
        var kept = new WillKept(clientId, number, will, dueAt) { User = user };
        return kind switch
        {
            "client was here" => [kept],
            "its session was here" => [opened, kept],
            "delayed" => [opened, new SessionLeft(clientId, TimeSpan.MaxValue, 0), kept],
            _ => [opened, new SessionLeft(clientId, Now - TimeSpan.FromSeconds(5), 0), kept],
        };
    }

    private static MessageQueued Queued(string clientId, long number, string topic, string payload) =>
        new(clientId, number, new Message { Topic = topic, Payload = Encoding.UTF8.GetBytes(payload), Qos = 1 }, 1, Retain: false, null);

    private static async Task<RawClient> WatchAsync(MqttBroker broker)
    {
        var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "watcher");
        await watcher.SendAsync("82 { 00 01 | '#' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        return watcher;
    }

    // Who is not mentioned may do everything, and others what the test says.
    private Task<MqttBroker> StartAsync(ManualStore store) => TestBroker.StartAsync(options => options with
    {
        Store = store,
        Time = _time,
        Refused = _refusals.Enqueue,
        Authenticate = (login, _) => ValueTask.FromResult(LoginAnswer.Accept(PermissionsOf(login.UserName, login.ClientId), login.UserName ?? "")),
        PermissionsOf = PermissionsOf,
    });

    private Permissions PermissionsOf(string? user, string clientId)
    {
        return new Permissions(May, filter => true) { MayRead = May };

        bool May(string topic) => !_may.TryGetValue($"{user} {clientId}", out var may) || may(topic);
    }
}
