using System.Collections.Concurrent;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>The seam: the host decides when a publish is acknowledged.</summary>
public class HostTests
{
    [Fact]
    [Clause("MQTT-4.6.0-2", "MQTT-4.6.0-3")]
    public async Task Nothing_is_acknowledged_nor_passed_on_before_the_host_has_completed_it()
    {
        await using var broker = await StartAsync();
        await using var client = await ConnectAsync(broker, "c");
        await using var other = await ConnectAsync(broker, "o");
        await other.SendAsync("82 { 00 01 | '#' 00 }");
        await other.ExpectAsync("90 03 00 01 00");
        await client.SendAsync("32 { 'held' 00 01 \"1\" } | 32 { 'held' 00 02 \"2\" } | 34 { 'held' 00 03 \"3\" }");
        var held = await ReadAsync(broker, 3);
        await client.ExpectNothingAsync();
        await other.ExpectNothingAsync();

        Assert.Equal(2, broker.Complete([held[1], held[2]]));
        await client.ExpectNothingAsync(); // In the order of receipt.
        Assert.Equal(1, broker.Complete([held[0]]));
        await client.ExpectAsync("40 02 00 01 | 40 02 00 02 | 50 02 00 03");
    }

    [Fact]
    public async Task Topics_that_the_host_does_not_hold_pass_by_it()
    {
        await using var broker = await StartAsync();
        await using var client = await ConnectAsync(broker, "c");
        await client.SendAsync("32 { 'other' 00 01 \"1\" }");
        await client.ExpectAsync("40 02 00 01");
        Assert.False(broker.Incoming.TryRead(out _));
    }

    [Fact]
    public async Task Qos_2_identifiers_go_to_the_host_and_come_back_after_a_restart()
    {
        List<Incoming> stored;
        await using (var broker = await StartAsync())
        {
            await using var client = await ConnectAsync(broker, "c", clean: false);
            await client.SendAsync("34 { 'held' 00 05 \"x\" }");
            stored = await ReadAsync(broker, 1);
            Assert.Equal((IncomingKind.Message, "c", new IdChange(IdChangeKind.Received, 5)), (stored[0].Kind, stored[0].ClientId, stored[0].IdChange));
            // The process ends here: committed, but not acknowledged.
        }
        await using (var broker = await StartAsync(new Dictionary<string, IReadOnlyCollection<ushort>> { ["c"] = [5] }))
        {
            await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true);
            await client.SendAsync("3C { 'held' 00 05 \"x\" } | 62 02 00 05");
            var again = await ReadAsync(broker, 2);
            Assert.Equal([IncomingKind.Redelivery, IncomingKind.SessionChange], again.Select(incoming => incoming.Kind));
            Assert.Equal(new IdChange(IdChangeKind.Released, 5), again[1].IdChange);
            broker.Complete(again);
            await client.ExpectAsync("50 02 00 05 | 70 02 00 05");
        }
    }

    [Fact]
    public async Task A_new_session_waits_until_the_host_has_forgotten_the_identifiers_of_the_old_one()
    {
        await using var broker = await StartAsync(new Dictionary<string, IReadOnlyCollection<ushort>> { ["c"] = [5] });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }");
        var forgetting = await ReadAsync(broker, 1);
        Assert.Equal(IdChangeKind.AllForgotten, forgetting[0].IdChange.Kind);
        broker.Complete(forgetting);
        await client.ExpectAsync("20 02 00 00");
    }

    [Fact]
    public async Task An_acknowledgement_of_an_earlier_connection_is_void_and_its_message_no_news_on_the_next()
    {
        await using var broker = await StartAsync();
        List<Incoming> held;
        await using (var first = await ConnectAsync(broker, "c", clean: false))
        {
            await first.SendAsync("32 { 'held' 00 01 \"1\" } | C0 00");
            await first.ExpectAsync("D0 00");
            held = await ReadAsync(broker, 1);
        }
        await using var second = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true);
        Assert.Equal(0, broker.Complete(held));
        await second.SendAsync("3A { 'held' 00 01 \"1\" }");
        var again = await ReadAsync(broker, 1);
        Assert.Equal(IncomingKind.Redelivery, again[0].Kind);
        Assert.Equal(1, broker.Complete(again));
        await second.ExpectAsync("40 02 00 01");
    }

    [Fact]
    [Clause("MQTT-4.3.3-9")]
    public async Task A_message_that_the_host_does_not_take_is_refused_in_its_turn_and_goes_to_nobody()
    {
        await using var broker = await StartAsync();
        await using var other = await ConnectAsync(broker, "o");
        await other.SendAsync("82 { 00 01 | '#' 00 }");
        await other.ExpectAsync("90 03 00 01 00");
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        broker.Complete(await ReadAsync(broker, 1));
        await client.SendAsync("32 { 'held' 00 01 {} \"1\" } | 33 { 'held' 00 02 {} \"2\" } | 34 { 'held' 00 03 {} \"3\" } | 31 { 'held' {} \"4\" } | 34 { 'held' 00 05 {} \"5\" }");
        var held = await ReadAsync(broker, 5);
        Assert.All(held, incoming => Assert.True(incoming.CanBeRefused));
        Assert.Equal(2, broker.Complete([.. held.Select((incoming, place) => incoming with { IsRefused = place is 1 or 2 or 3 })]));
        await client.ExpectAsync("40 02 00 01 | 40 03 00 02 97 | 50 03 00 03 97 | 50 02 00 05");
        await other.ExpectAsync("30 { 'held' \"1\" } | 30 { 'held' \"5\" }");
        await other.ExpectNothingAsync();
        Assert.Equal(0, broker.Statistics.Retained);

        await client.SendAsync("34 { 'held' 00 03 {} \"3\" }"); // The identifier is free [MQTT-4.3.3-9].
        held = await ReadAsync(broker, 1);
        Assert.Equal((IncomingKind.Message, new IdChange(IdChangeKind.Received, 3)), (held[0].Kind, held[0].IdChange));
        broker.Complete(held);
        await client.ExpectAsync("50 02 00 03");
    }

    [Fact]
    public async Task Whoever_cannot_be_told_of_a_refusal_in_3_1_1_is_not_acknowledged()
    {
        await using var broker = await StartAsync();
        await using (var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 FF", clean: false))
        {
            broker.Complete(await ReadAsync(broker, 1));
            await client.SendAsync("34 { 'held' 00 03 {} \"3\" } | C0 00");
            await client.ExpectAsync("D0 00");
        }
        var first = await ReadAsync(broker, 1);
        await using var older = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true);
        await older.SendAsync("3C { 'held' 00 03 \"3\" } | 32 { 'held' 00 04 \"4\" }");
        var again = await ReadAsync(broker, 2);
        Assert.Equal((IncomingKind.Redelivery, false), (again[0].Kind, again[1].CanBeRefused));
        broker.Complete([first[0] with { IsRefused = true }]);
        broker.Complete(again);
        await older.ExpectAsync("40 02 00 04");
    }

    [Fact]
    public async Task Disposing_sends_the_acknowledgements_of_what_is_complete_and_of_nothing_else()
    {
        var broker = await StartAsync();
        await using var client = await ConnectAsync(broker, "c");
        await client.SendAsync("32 { 'held' 00 01 \"1\" } | 32 { 'held' 00 02 \"2\" }");
        var held = await ReadAsync(broker, 2);
        broker.Complete([held[0]]);
        await broker.DisposeAsync();
        await client.ExpectAsync("40 02 00 01");
        await client.ExpectEndAsync();
        Assert.True(broker.Incoming.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_client_that_does_not_read_does_not_hold_up_the_brokers_end()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var broker = await TestBroker.StartAsync(options => options with { Time = time, Limits = new BrokerLimits { ConnectTimeout = TimeSpan.FromDays(10), KeepAlive = TimeSpan.FromDays(10) } });
        await using var subscriber = await RawClient.Connect5Async(broker.EndPoints[0], "s");
        await subscriber.SendAsync("82 { 00 01 {} | 'a' 00 }");
        await subscriber.ExpectAsync("90 { 00 01 {} 00 }");
        for (var i = 0; i < 600; i++) // More than the network takes without a reader.
            broker.Publish(new Message { Topic = "a", Payload = new byte[100_000] });
        var ending = broker.DisposeAsync().AsTask();
        await time.PassUntilAsync(() => ending.IsCompleted, () => "the broker waits for a client that does not read");
        await ending;
    }

    [Fact]
    public async Task The_host_publishes_to_subscribers()
    {
        await using var broker = await StartAsync();
        await using var client = await ConnectAsync(broker, "c");
        await client.SendAsync("82 { 00 01 | 'STATS' 01 }");
        await client.ExpectAsync("90 03 00 01 01");
        broker.Publish(new Message { Topic = "STATS", Payload = "{}"u8.ToArray(), Qos = 1 });
        await client.ExpectAsync("32 { 'STATS' 00 01 \"{}\" }");
    }

    [Fact]
    public async Task A_client_of_3_1_1_that_sends_without_end_waits_and_nothing_is_lost()
    {
        await using var broker = await StartAsync(limits: new BrokerLimits { ReceiveMaximum = 10 });
        await using var client = await ConnectAsync(broker, "c");
        for (var id = 1; id <= 100; id++)
            await client.SendAsync($"32 {{ 'held' 00 {id:X2} \"x\" }}");
        for (var id = 1; id <= 100; id += 10)
        {
            var held = await ReadAsync(broker, 10);
            Assert.False(broker.Incoming.TryRead(out _));
            broker.Complete(held);
            for (var i = id; i < id + 10; i++)
                await client.ExpectAsync($"40 02 00 {i:X2}");
        }
    }

    [Fact]
    public async Task A_client_of_5_0_that_breaks_a_strict_receive_maximum_is_told_so()
    {
        await using var broker = await StartAsync(limits: new BrokerLimits { ReceiveMaximum = 1, IsReceiveMaximumStrict = true });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 05 | 02 | 00 00 | {} | 'c' }");
        broker.Complete(await ReadAsync(broker, 1));
        await client.ReadPacketAsync();
        await client.SendAsync("32 { 'held' 00 01 {} } | 32 { 'held' 00 02 {} }");
        await client.ExpectAsync("E0 01 93");
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task A_message_larger_than_what_may_be_held_passes_alone()
    {
        await using var broker = await StartAsync(limits: new BrokerLimits { HeldBytes = 1000 });
        await using var client = await ConnectAsync(broker, "c");
        await using var other = await ConnectAsync(broker, "o");
        await client.SendAsync((byte[])[.. Bytes.Of("32 B8 17 'held' 00 01"), .. new byte[2992]]);
        var large = await ReadAsync(broker, 1);
        await other.SendAsync("32 { 'held' 00 01 \"x\" }");
        await client.SendAsync("32 { 'held' 00 02 \"x\" }");
        broker.Complete(large);
        broker.Complete(await ReadAsync(broker, 2));
        await client.ExpectAsync("40 02 00 01 | 40 02 00 02");
        await other.ExpectAsync("40 02 00 01");
    }

    [Fact]
    public async Task What_was_taken_in_before_the_host_stops_taking_can_still_be_acknowledged()
    {
        await using var broker = await StartAsync();
        await using var client = await ConnectAsync(broker, "c");
        await client.SendAsync("32 { 'held' 00 01 \"1\" } | 32 { 'held' 00 02 \"2\" }");
        var held = await ReadAsync(broker, 2);
        broker.StopTaking();
        await client.SendAsync("32 { 'held' 00 03 \"3\" }");
        Assert.False(await broker.Incoming.WaitToReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(2, broker.Complete(held));
        await client.ExpectAsync("40 02 00 01 | 40 02 00 02");
        await broker.DisposeAsync();
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task The_hosts_messages_do_not_pile_up_for_a_client_that_is_away()
    {
        await using var broker = await StartAsync(limits: new BrokerLimits { QueuedMessages = 2 });
        await using (var away = await ConnectAsync(broker, "c", clean: false))
        {
            await away.SendAsync("82 { 00 01 | 'STATS' 01 } | E0 00");
            await away.ExpectAsync("90 03 00 01 01");
            await away.ExpectEndAsync();
        }
        for (var i = 0; i < 5; i++)
            broker.Publish(new Message { Topic = "STATS", Payload = "A"u8.ToArray(), Qos = 1 });
        Assert.Equal(3, broker.Statistics.MessagesDropped);
        await using var again = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false, expectSession: true);
        await again.ExpectAsync("32 { 'STATS' 00 01 \"A\" } | 32 { 'STATS' 00 02 \"A\" }");
        await again.ExpectNothingAsync();
    }

    [Fact]
    public async Task The_host_hears_of_what_is_refused()
    {
        var refused = new ConcurrentQueue<Refusal>();
        await using var broker = await TestBroker.StartAsync(options => options with { Refused = refused.Enqueue, Limits = new BrokerLimits { PayloadSize = 100, Sessions = 1 } });
        await using (var client = await RawClient.Connect5Async(broker.EndPoints[0], "c"))
        {
            await client.SendAsync("32 { 'held' 00 01 {} }");
            await client.ExpectAsync("40 02 00 01");
            await using var tooMany = await RawClient.OpenAsync(broker.EndPoints[0]);
            await tooMany.SendAsync("10 { 'MQTT' 05 | 02 | 00 00 | {} | 'd' }");
            Assert.Equal(0x97, (await tooMany.ReadPacketAsync())[3]);
            await tooMany.ExpectEndAsync();
            await client.SendAsync((byte[])[.. Bytes.Of("32 7E 'held' 00 02 00"), .. new byte[117]]);
            await client.ExpectAsync("E0 01 95");
            await client.ExpectEndAsync();
        }
        Assert.Equal(
            [(RefusalKind.Connection, "d", ReasonCode.QuotaExceeded), (RefusalKind.Connection, "c", ReasonCode.PacketTooLarge)],
            refused.Select(refusal => (refusal.Kind, refusal.ClientId, refusal.Reason)));
    }

    [Fact]
    public async Task A_restored_session_whose_client_does_not_come_back_is_forgotten()
    {
        await using var broker = await StartAsync(new Dictionary<string, IReadOnlyCollection<ushort>> { ["c"] = [5] }, new BrokerLimits { SessionExpiry = TimeSpan.Zero });
        var forgetting = Assert.Single(await ReadAsync(broker, 1));
        Assert.Equal(("c", new IdChange(IdChangeKind.AllForgotten, 0)), (forgetting.ClientId, forgetting.IdChange));
    }

    // A host that holds the topic 'held'.
    private static Task<MqttBroker> StartAsync(Dictionary<string, IReadOnlyCollection<ushort>>? receivedIds = null, BrokerLimits? limits = null) =>
        TestBroker.StartAsync(options => options with
        {
            Holds = topic => topic == "held",
            ReceivedIds = receivedIds ?? [],
            Limits = limits ?? options.Limits,
        });

    // A new session has something to be forgotten first.
    private static async Task<RawClient> ConnectAsync(MqttBroker broker, string clientId, bool clean = true)
    {
        var client = await RawClient.ConnectAsync(broker.EndPoints[0], clientId, clean);
        broker.Complete(await ReadAsync(broker, 1));
        return client;
    }

    private static async Task<List<Incoming>> ReadAsync(MqttBroker broker, int count)
    {
        var read = new List<Incoming>();
        while (read.Count < count)
            read.Add(await broker.Incoming.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System));
        return read;
    }
}
