using System.Collections.Concurrent;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>A session belongs to its user: another one who comes with its client identifier is refused, and harms nothing.</summary>
public class SessionOwnerTests
{
    private const int Full = 8192; // What the queue of the host takes.

    private readonly ConcurrentQueue<Refusal> _refusals = [];
    private readonly ConcurrentQueue<string> _logins = []; // Client identifiers.

    private static readonly string[] Users = ["ada", "bob", ""];
    private static readonly (string Owner, string Other)[] Pairs = [("ada", "bob"), ("ada", "Ada"), ("ada", ""), ("", "bob")];
    private static readonly bool[] Either = [true, false];

    public static TheoryData<string, string, bool, bool> Strangers =>
    [
        .. from pair in Pairs
           from clean in Either
           from is5 in Either
           select new TheoryDataRow<string, string, bool, bool>(pair.Owner, pair.Other, clean, is5),
    ];

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task Another_user_with_the_client_identifier_is_refused_and_the_session_its_queue_and_its_will_stay(string owner, string stranger, bool clean, bool is5)
    {
        await using var broker = await StartAsync();
        await using var watcher = await ConnectAsync(broker, "admin", "watcher");
        await watcher.SendAsync("82 { 00 01 | '#' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        await using var publisher = await ConnectAsync(broker, "admin", "publisher");
        await using (var client = await ConnectAsync(broker, owner, clean: false, will: true))
        {
            await client.SendAsync("82 { 00 01 | 't' 01 }");
            await client.ExpectAsync("90 03 00 01 01");
            await RefusedAsync(broker, stranger, clean, is5); // While the owner is here,
            await publisher.SendAsync("32 { 't' 00 01 \"1\" }");
            await publisher.ExpectAsync("40 02 00 01");
            await watcher.ExpectAsync("30 { 't' \"1\" }");
            await client.ExpectAsync("32 { 't' 00 01 \"1\" }");
            await client.SendAsync("40 02 00 01");
            await client.ExpectNothingAsync();
        }
        await watcher.ExpectAsync("30 { 'w' \"gone\" }");
        await publisher.SendAsync("32 { 't' 00 02 \"2\" }");
        await publisher.ExpectAsync("40 02 00 02");
        await watcher.ExpectAsync("30 { 't' \"2\" }");
        await RefusedAsync(broker, stranger, clean, is5); // and while it is away.
        await using var back = await ConnectAsync(broker, owner, clean: false, expectSession: true);
        await back.ExpectAsync("32 { 't' 00 02 \"2\" }");
        await watcher.ExpectNothingAsync();
        Assert.Equal([(RefusalKind.Session, "c"), (RefusalKind.Session, "c")], _refusals.Where(refusal => refusal.Kind != RefusalKind.Drop).Select(refusal => (refusal.Kind, refusal.ClientId)));
        Assert.Equal(3, broker.Statistics.Sessions);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_that_ends_with_its_connection_is_free_after_that_and_not_before(bool isBridge)
    {
        await using var broker = await StartAsync();
        await using (var client = await ConnectAsync(broker, "ada", clean: true, isBridge: isBridge))
        {
            await RefusedAsync(broker, "bob", clean: true, is5: false);
            await client.SendAsync("E0 00");
            await client.ExpectEndAsync();
        }
        await using var next = await ConnectAsync(broker, "bob", clean: true);
        await RefusedAsync(broker, "ada", clean: true, is5: false);
        await next.ExpectNothingAsync();
    }

    [Fact]
    public async Task At_the_moment_of_a_take_over_another_user_neither_takes_the_session_nor_keeps_its_own_from_it()
    {
        await using var broker = await StartAsync(options => options with { Holds = topic => topic == "held" });
        await using var first = await ConnectAsync(broker, "ada", clean: false);
        await using var filler = await FillAsync(broker);
        await first.SendAsync("32 { 'held' 00 01 \"x\" }"); // It cannot go before that is taken in.
        await using var second = await SendConnectAsync(broker, "ada", clean: false);
        for (var i = 0; i < 5; i++)
            await RefusedAsync(broker, "bob", clean: i % 2 == 0, is5: false);
        var accepted = second.ExpectAsync("20 02 01 00");
        await TakeUntilAsync(broker, () => accepted.IsCompleted);
        await accepted;
        await second.ExpectNothingAsync();
    }

    [Fact]
    public async Task Who_waits_for_what_its_own_last_session_left_behind_is_not_driven_away_by_another_user()
    {
        await using var broker = await StartAsync(options => options with { Holds = topic => topic is "held" or "w" });
        var first = await ConnectAsync(broker, "ada", clean: true, will: true);
        await using var filler = await FillAsync(broker);
        await first.DisposeAsync(); // Its session is over, and its will stands in line.
        await Until.TrueAsync(() => broker.Statistics.Connections == 1, () => $"{broker.Statistics}");
        _logins.Clear();
        await using var second = await SendConnectAsync(broker, "ada", clean: true);
        await Until.TrueAsync(() => _logins.Contains("c"), () => "nobody asked for it");
        await RefusedAsync(broker, "bob", clean: true, is5: false);
        var accepted = second.ExpectAsync("20 02 00 00");
        await TakeUntilAsync(broker, () => accepted.IsCompleted);
        await accepted;
        await second.ExpectNothingAsync();
    }

    [Fact]
    public async Task Users_who_want_one_client_identifier_at_the_same_time_never_end_a_connection_of_each_other()
    {
        await using var broker = await StartAsync();
        await Task.WhenAll(Users.Select(ComeAndGoAsync));
        Assert.DoesNotContain(_refusals, refusal => refusal.Kind == RefusalKind.Connection && refusal.Reason == ReasonCode.SessionTakenOver);

        async Task ComeAndGoAsync(string user)
        {
            for (var accepted = 0; accepted < 100;)
            {
                await using var client = await SendConnectAsync(broker, user, clean: true);
                var answer = await client.ReadPacketAsync();
                if (answer[3] == 5)
                    continue;
                accepted++;
                await client.ExpectNothingAsync();
                await client.SendAsync("E0 00");
                await client.ExpectEndAsync();
            }
        }
    }

    [Fact]
    public async Task After_a_restart_a_session_still_belongs_to_its_user()
    {
        var store = new ManualStore(new SessionOpened("c", 100) { User = "ada" }, new SessionOpened("d", 100) { User = "" });
        store.EndAll();
        await using var broker = await StartAsync(options => options with { Store = store });
        await RefusedAsync(broker, "bob", clean: true, is5: true);
        await RefusedAsync(broker, "", clean: false, is5: false);
        await RefusedAsync(broker, "bob", clean: false, is5: false, clientId: "d");
        await using var ada = await ConnectAsync(broker, "ada", clean: false, expectSession: true);
        await using var nobody = await ConnectAsync(broker, "", "d", clean: false, expectSession: true);
        Assert.Equal([new("c", 604_800) { User = "ada" }, new SessionOpened("d", 604_800) { User = "" }], store.Committed.OfType<SessionOpened>());
    }

    [Theory]
    [InlineData("bob", "ada")]
    [InlineData("", "ada")]
    [InlineData("bob", "")]
    public async Task A_session_of_which_the_user_is_not_known_belongs_to_the_first_that_comes(string first, string second)
    {
        var store = new ManualStore(new SessionOpened("c", 100));
        store.EndAll();
        await using var broker = await StartAsync(options => options with { Store = store });
        await using (var client = await ConnectAsync(broker, first, clean: false, expectSession: true))
            await RefusedAsync(broker, second, clean: true, is5: false);
        await RefusedAsync(broker, second, clean: false, is5: false);
        Assert.Equal([new SessionOpened("c", 604_800) { User = first }], store.Committed.OfType<SessionOpened>());
    }

    [Fact]
    public async Task Where_nobody_is_asked_a_session_of_a_user_is_not_given_away_and_one_without_a_name_is()
    {
        var store = new ManualStore(new SessionOpened("c", 100) { User = "ada" }, new SessionOpened("d", 100) { User = "" });
        store.EndAll();
        await using var broker = await TestBroker.StartAsync(options => options with { Store = store, Refused = _refusals.Enqueue });
        await RefusedAsync(broker, "", clean: false, is5: false);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "d", clean: false, expectSession: true);
        Assert.Equal([new SessionOpened("d", 604_800) { User = "" }], store.Committed.OfType<SessionOpened>());
    }

    [Fact]
    public async Task A_session_that_was_ended_is_free()
    {
        await using var broker = await StartAsync();
        await using (var client = await ConnectAsync(broker, "ada", clean: false))
            await RefusedAsync(broker, "bob", clean: false, is5: false);
        Assert.True(await broker.EndSessionAsync("c", TestContext.Current.CancellationToken));
        await using var next = await ConnectAsync(broker, "bob", clean: false);
        await next.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_session_whose_time_is_over_is_free()
    {
        var time = new FakeTimeProvider();
        await using var broker = await StartAsync(options => options with { Time = time, Limits = new BrokerLimits { SessionExpiry = TimeSpan.FromMinutes(1) } });
        await using (var client = await ConnectAsync(broker, "ada", clean: false))
            await client.SendAsync("E0 00");
        await Until.TrueAsync(() => broker.Statistics.Connections == 0, () => $"{broker.Statistics}");
        time.Advance(TimeSpan.FromSeconds(59));
        await RefusedAsync(broker, "bob", clean: false, is5: false);
        time.Advance(TimeSpan.FromSeconds(1));
        await using var next = await ConnectAsync(broker, "bob", clean: false);
        await next.ExpectNothingAsync();
    }

    // Each is let in as the user that it says; the name is empty for none.
    private Task<MqttBroker> StartAsync(Func<BrokerOptions, BrokerOptions>? configure = null) => TestBroker.StartAsync(options => (configure ?? (same => same))(options with
    {
        Limits = new BrokerLimits { ReceiveMaximum = ushort.MaxValue }, // One client can fill the queue of the host.
        Refused = _refusals.Enqueue,
        Authenticate = (login, _) =>
        {
            _logins.Enqueue(login.ClientId);
            return ValueTask.FromResult(LoginAnswer.Accept(new Permissions(_ => true, _ => true), login.UserName ?? ""));
        },
    }));

    private static async Task<RawClient> ConnectAsync(MqttBroker broker, string user, string clientId = "c", bool clean = true, bool will = false, bool expectSession = false, bool isBridge = false)
    {
        var client = await SendConnectAsync(broker, user, clean, will, clientId, isBridge);
        await client.ExpectAsync($"20 02 0{(expectSession ? 1 : 0)} 00");
        return client;
    }

    private static async Task<RawClient> SendConnectAsync(MqttBroker broker, string user, bool clean, bool will = false, string clientId = "c", bool isBridge = false)
    {
        var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        var flags = (user.Length > 0 ? 0x80 : 0) | (clean ? 2 : 0) | (will ? 4 : 0);
        await client.SendAsync($"10 {{ 'MQTT' {(isBridge ? "84" : "04")} | {flags:X2} | 00 00 | '{clientId}' | {(will ? "'w' 'gone'" : "")} | {(user.Length > 0 ? $"'{user}'" : "")} }}");
        return client;
    }

    private static async Task RefusedAsync(MqttBroker broker, string user, bool clean, bool is5, string clientId = "c")
    {
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        var flags = (user.Length > 0 ? 0x80 : 0) | (clean ? 2 : 0);
        await client.SendAsync($"10 {{ 'MQTT' {(is5 ? "05" : "04")} | {flags:X2} | 00 00 | {(is5 ? "{}" : "")} | '{clientId}' | {(user.Length > 0 ? $"'{user}'" : "")} }}");
        await client.ExpectAsync(is5 ? "20 03 00 87 00" : "20 02 00 05");
        await client.ExpectEndAsync();
    }

    private static async Task<RawClient> FillAsync(MqttBroker broker)
    {
        var filler = await ConnectAsync(broker, "filler", "filler");
        await filler.SendAsync(Enumerable.Repeat(Bytes.Of("30 { 'held' \"-\" }"), 2 * Full).SelectMany(bytes => bytes).ToArray());
        await Until.TrueAsync(() => broker.Incoming.Count == Full, () => $"{broker.Incoming.Count} wait");
        return filler;
    }

    private static Task TakeUntilAsync(MqttBroker broker, Func<bool> condition) => Until.TrueAsync(
        () =>
        {
            while (broker.Incoming.TryRead(out var incoming))
                broker.Complete([incoming]);
            return condition();
        },
        () => "a client that waits is not let in");
}
