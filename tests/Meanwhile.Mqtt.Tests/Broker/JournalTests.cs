using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>What has to outlive the process: nothing is promised before it is committed, and everything that was is there again.</summary>
public class JournalTests
{
    private const string Connect = "10 { 'MQTT' 04 | 00 | 00 00 | 'c' }"; // Clean Session is off.

    [Fact]
    public async Task Connack_suback_and_unsuback_wait_for_the_commit_of_a_session_that_is_kept()
    {
        var store = new ManualStore();
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        (string Packet, Change Change, string Answer)[] steps =
        [
            (Connect, new SessionOpened("c", 604_800), "20 02 00 00"),
            ("82 { 00 01 | 'a/#' 01 }", new SubscriptionAdded("c", new SubscriptionRequest("a/#", 1), null), "90 03 00 01 01"),
            ("A2 { 00 02 | 'a/#' }", new SubscriptionRemoved("c", "a/#"), "B0 02 00 02"),
        ];
        foreach (var (packet, change, answer) in steps)
        {
            await client.SendAsync(packet);
            Assert.Equal([change], await store.BegunAsync());
            var answering = client.ExpectAsync(answer);
            Assert.False(answering.IsCompleted);
            store.End();
            await answering;
        }
        store.EndAll();
    }

    [Fact]
    public async Task A_publish_to_a_session_that_is_kept_is_acknowledged_and_sent_after_its_commit_and_many_share_one()
    {
        var store = new ManualStore(new SessionOpened("c", 100), new SubscriptionAdded("c", new SubscriptionRequest("a", 2), 7));
        await using var broker = await StartAsync(store);
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        Assert.IsType<SessionLeft>(Assert.Single(await store.BegunAsync())); // The client is gone: from now on its time runs.
        for (var id = 1; id <= 9; id++)
            await publisher.SendAsync($"32 {{ 'a' 00 0{id} \"{id}\" }}");
        await publisher.ExpectNothingAsync();
        store.End();
        Assert.Equal(Enumerable.Range(1, 9), (await store.BegunAsync()).Cast<MessageQueued>().Select(queued => (int)queued.Number));
        await publisher.ExpectNothingAsync();
        store.EndAll();
        for (var id = 1; id <= 9; id++)
            await publisher.ExpectAsync($"40 02 00 0{id}");
        Assert.Equal(2, store.Commits);
    }

    [Fact]
    public async Task Whoever_has_nothing_to_keep_has_nothing_to_wait_for()
    {
        var store = new ManualStore();
        await using var broker = await StartAsync(store);
        await using var subscriber = await RawClient.ConnectAsync(broker.EndPoints[0], "s");
        await subscriber.SendAsync("82 { 00 01 | 'a' 02 }");
        await subscriber.ExpectAsync("90 03 00 01 02");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("30 { 'a' \"0\" } | 32 { 'a' 00 01 \"1\" } | 34 { 'a' 00 02 \"2\" } | 62 02 00 02");
        await publisher.ExpectAsync("40 02 00 01 | 50 02 00 02 | 70 02 00 02");
        await subscriber.ExpectAsync("30 { 'a' \"0\" } | 32 { 'a' 00 01 \"1\" } | 34 { 'a' 00 02 \"2\" }");
        await using (var kept = await KeptAsync(broker, store))
        {
            await publisher.SendAsync("30 { 'b' \"0\" }");
            await kept.ExpectAsync("30 { 'b' \"0\" }"); // QoS 0 to a session that is kept.
        }
        Assert.DoesNotContain(store.Committed, change => change is MessageQueued);
        store.EndAll();

        static async Task<RawClient> KeptAsync(MqttBroker broker, ManualStore store)
        {
            store.End();
            var client = await RawClient.ConnectAsync(broker.EndPoints[0], "k", clean: false);
            store.End();
            await client.SendAsync("82 { 00 01 | 'b' 01 }");
            await client.ExpectAsync("90 03 00 01 01");
            return client;
        }
    }

    [Fact]
    public async Task An_identifier_of_qos_2_is_kept_before_pubrec_and_forgotten_before_pubcomp_also_for_what_comes_again_meanwhile()
    {
        var store = new ManualStore(new SessionOpened("c", 100), new SessionLeft("c", TimeSpan.MaxValue, 0));
        await using var broker = await StartAsync(store);
        await using (var first = await ConnectAsync(broker, store))
        {
            await first.SendAsync("34 { 'a' 00 05 \"x\" }");
            Assert.Equal([new IdReceived("c", 5)], await store.BegunAsync());
        }
        store.End();
        await using var second = await ConnectAsync(broker, store);
        await second.SendAsync("3C { 'a' 00 05 \"x\" }");
        await second.ExpectAsync("50 02 00 05"); // Known, and by now for sure.
        await second.SendAsync("62 02 00 05 | 62 02 00 05");
        Assert.Equal([new IdReleased("c", 5)], await store.BegunAsync());
        await second.ExpectNothingAsync();
        store.EndAll();
        await second.ExpectAsync("70 02 00 05 | 70 02 00 05");
    }

    [Fact]
    public async Task A_session_goes_on_after_a_restart_with_the_same_identifiers_and_dup()
    {
        Message Of(string payload, int qos) => new() { Topic = "a", Payload = System.Text.Encoding.UTF8.GetBytes(payload), Qos = qos };
        var store = new ManualStore(
            new SessionOpened("c", 100),
            new SubscriptionAdded("c", new SubscriptionRequest("a", 2), null),
            new IdReceived("c", 9),
            new MessageQueued("c", 70_001, Of("1", 1), 1, Retain: false, null),
            new MessageQueued("c", 70_002, Of("2", 2), 2, Retain: false, null, IsReleased: true),
            new MessageQueued("c", 70_004, Of("4", 2), 2, Retain: false, null),
            new MessageQueued("c", 70_005, Of("5", 1), 1, Retain: false, null),
            new SessionLeft("c", TimeSpan.MaxValue, LastSent: 70_004),
            new RetainedChanged("r", new Message { Topic = "r", Payload = "kept"u8.ToArray(), Retain = true }));
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true);
        await client.ExpectAsync("3A { 'a' 11 72 \"1\" } | 62 02 11 73 | 3C { 'a' 11 75 \"4\" } | 32 { 'a' 11 76 \"5\" }");
        await client.SendAsync("3C { 'a' 00 09 \"9\" }");
        await client.ExpectAsync("50 02 00 09"); // It was delivered before.
        await client.SendAsync("82 { 00 01 | 'r' 00 }");
        await client.ExpectAsync("90 03 00 01 00 | 31 { 'r' \"kept\" }");
        await client.SendAsync("40 02 11 72 | 70 02 11 73 | 50 02 11 75 | 70 02 11 75 | 40 02 11 76");
        await client.ExpectAsync("62 02 11 75");
        await client.SendAsync("34 { 'a' 00 0A \"6\" }");
        await client.ExpectAsync("50 02 00 0A | 34 { 'a' 11 77 \"6\" }");
        Assert.Equal([70_001, 70_002, 70_004, 70_005], store.Committed.OfType<MessageFinished>().Select(finished => (int)finished.Number));
    }

    [Fact]
    public async Task Pubrel_waits_until_it_is_kept_that_the_message_is_not_to_come_again()
    {
        var store = new ManualStore(
            new SessionOpened("c", 100), new MessageQueued("c", 1, new Message { Topic = "a", Qos = 2 }, 2, Retain: false, null), new SessionLeft("c", TimeSpan.MaxValue, 0));
        await using var broker = await StartAsync(store);
        await using var client = await ConnectAsync(broker, store);
        await client.ExpectAsync("34 { 'a' 00 01 }");
        await client.SendAsync("50 02 00 01");
        Assert.Equal([new MessageReleased("c", 1)], await store.BegunAsync());
        await client.ExpectNothingAsync();
        store.EndAll();
        await client.ExpectAsync("62 02 00 01");
    }

    [Fact]
    public async Task When_nothing_can_be_committed_any_more_nothing_is_acknowledged_and_the_host_is_told_why()
    {
        var store = new ManualStore(new SessionOpened("c", 100), new SessionLeft("c", TimeSpan.MaxValue, 0));
        await using var broker = await StartAsync(store);
        await using var client = await ConnectAsync(broker, store);
        await client.SendAsync("34 { 'a' 00 05 \"x\" }");
        store.Fail(new IOException("no disk"));
        Assert.Equal("no disk", (await Assert.ThrowsAsync<IOException>(() => broker.Completion)).Message);
        await client.SendAsync("34 { 'a' 00 06 \"x\" }");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_message_that_the_host_has_and_subscribers_may_not_have_goes_to_them_when_it_comes_again()
    {
        var store = new ManualStore(
            new SessionOpened("c", 100), new SubscriptionAdded("c", new SubscriptionRequest("held", 2), null), new IdReceived("c", 6), new SessionLeft("c", TimeSpan.MaxValue, 0));
        store.EndAll();
        await using var broker = await TestBroker.StartAsync(options => options with
        {
            Store = store,
            Holds = topic => topic == "held",
            ReceivedIds = new Dictionary<string, IReadOnlyCollection<ushort>> { ["c"] = [5, 6] },
        });
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true);
        await client.SendAsync("3C { 'held' 00 05 \"x\" } | 3C { 'held' 00 06 \"y\" }");
        var (first, second) = (await broker.Incoming.ReadAsync(TestContext.Current.CancellationToken), await broker.Incoming.ReadAsync(TestContext.Current.CancellationToken));
        Assert.All([first, second], again => Assert.Equal((IncomingKind.Redelivery, IdChangeKind.None), (again.Kind, again.IdChange.Kind)));
        broker.Complete([first, second]); // In one commit, so that both are answered before the first is passed on.
        await client.ExpectAsync("50 02 00 05 | 50 02 00 06");
        await client.ExpectAsync("34 { 'held' 00 01 \"x\" }");
        await client.ExpectNothingAsync();
        Assert.Contains(new IdReceived("c", 5), store.Committed);
    }

    [Theory]
    [InlineData(50, false)]
    [InlineData(-50, true)]
    [Clause("MQTT-4.1.0-2")]
    public async Task A_session_that_was_left_ends_when_it_would_have_without_a_restart(int secondsFromNow, bool isOver)
    {
        var ends = TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(secondsFromNow);
        var store = new ManualStore(new SessionOpened("c", 100), new SessionLeft("c", ends, 0));
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: !isOver);
        Assert.Equal(isOver, store.Committed.Contains(new SessionEnded("c")));
    }

    [Fact]
    public async Task A_session_lives_no_longer_than_the_broker_allows_and_a_client_of_5_0_is_told()
    {
        var store = new ManualStore();
        store.EndAll();
        await using var broker = await TestBroker.StartAsync(options => options with { Store = store, Limits = new BrokerLimits { SessionExpiry = TimeSpan.FromSeconds(60) } });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 05 | 00 | 00 00 | { 11 FF FF FF FF } | 'v5' }");
        Assert.Contains("110000003C", Convert.ToHexString(await client.ReadPacketAsync()), StringComparison.Ordinal);
        await using var old = await RawClient.ConnectAsync(broker.EndPoints[0], "v3", clean: false);
        Assert.Equal([new SessionOpened("v5", 60), new SessionOpened("v3", 60)], store.Committed);
    }

    [Fact]
    public async Task A_new_session_in_the_place_of_a_kept_one_is_accepted_when_that_is_gone()
    {
        var store = new ManualStore(new SessionOpened("c", 100), new SessionLeft("c", TimeSpan.MaxValue, 0));
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }");
        Assert.Equal([new SessionEnded("c")], await store.BegunAsync());
        var answering = client.ExpectAsync("20 02 00 00");
        Assert.False(answering.IsCompleted);
        store.EndAll();
        await answering;
    }

    [Fact]
    public async Task Retained_messages_are_kept_replaced_and_deleted_before_they_are_acknowledged()
    {
        var store = new ManualStore();
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        foreach (var payload in new[] { "1", "2", "" })
        {
            await client.SendAsync($"33 {{ 'r' 00 01 \"{payload}\" }}");
            var change = Assert.IsType<RetainedChanged>(Assert.Single(await store.BegunAsync()));
            Assert.Equal(("r", payload), (change.Topic, change.Message is { } kept ? System.Text.Encoding.UTF8.GetString(kept.Payload.Span) : ""));
            await client.ExpectNothingAsync();
            store.End();
            await client.ExpectAsync("40 02 00 01");
        }
        await client.SendAsync("33 { 'r' 00 01 }"); // There is none any more.
        await client.ExpectAsync("40 02 00 01");
    }

    [Fact]
    public async Task A_will_is_kept_before_connack_and_void_when_its_client_takes_leave()
    {
        var store = new ManualStore();
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 06 | 00 00 | 'c' | 'w' | 'gone' }");
        var kept = Assert.IsType<WillKept>(Assert.Single(await store.BegunAsync()));
        Assert.Equal(("c", "w", null), (kept.ClientId, kept.Will.Topic, kept.DueAt));
        var answering = client.ExpectAsync("20 02 00 00");
        Assert.False(answering.IsCompleted);
        store.EndAll();
        await answering;
        await client.SendAsync("E0 00");
        Assert.Equal([new WillForgotten(kept.Number)], await store.BegunAsync());
    }

    [Fact]
    [Clause("MQTT-3.1.2-7", "MQTT-3.1.2-15", "MQTT-3.1.3-9")]
    public async Task A_will_is_published_after_a_restart_once_and_in_its_time()
    {
        static Will Of(string topic) => new(topic, "gone"u8.ToArray(), 1, Retain: true, default);
        var store = new ManualStore(
            new SessionOpened("away", 100),
            new SessionLeft("away", TimeSpan.MaxValue, 0),
            new WillKept("here", 7, Of("now"), DueAt: null),
            new WillKept("away", 8, Of("later"), DueAt: TimeSpan.MaxValue));
        store.EndAll();
        await using var broker = await StartAsync(store);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 | '#' 01 }");
        await client.ExpectAsync("90 03 00 01 01 | 33 { 'now' 00 01 \"gone\" }");
        await client.ExpectNothingAsync();
        var published = await store.BegunAsync(); // In one commit with what came of it.
        Assert.Contains(published, change => change is RetainedChanged { Topic: "now" });
        Assert.Equal([new WillForgotten(7)], published.OfType<WillForgotten>());
        await using var back = await RawClient.ConnectAsync(broker.EndPoints[0], "away", clean: false, expectSession: true);
        Assert.Contains(new WillForgotten(8), store.Committed); // [MQTT-3.1.3-9]
    }

    private static Task<MqttBroker> StartAsync(ManualStore store) => TestBroker.StartAsync(options => options with { Store = store });

    // The session 'c' is there.
    private static async Task<RawClient> ConnectAsync(MqttBroker broker, ManualStore store)
    {
        var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(Connect);
        while (!(await store.BegunAsync()).Any(change => change is SessionOpened))
            store.End(); // Of an earlier connection.
        store.End();
        await client.ExpectAsync("20 02 01 00");
        return client;
    }
}
