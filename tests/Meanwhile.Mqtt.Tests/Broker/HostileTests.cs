using System.Collections.Concurrent;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Tests.Wire;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clients that break rules and limits: others are served all the same.</summary>
public class HostileTests
{
    [Fact]
    [Clause("MQTT-3.1.4-1", "MQTT-4.13.1-1", "MQTT-4.8.0-1 of 3.1.1")]
    public async Task Malformed_packets_end_their_connection_and_no_other()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var bystander = await RawClient.ConnectAsync(broker.EndPoints[0], "bystander");
        foreach (var row in PacketTable.Malformed)
        {
            await using (var raw = await RawClient.OpenAsync(broker.EndPoints[0]))
            {
                await raw.SendAsync(row.Bytes); // As the first packet.
                if (row.Bytes[0] == 0x10 && (row.Version == ProtocolVersion.V5 || row.Name.StartsWith("level 6", StringComparison.Ordinal)))
                    await raw.ExpectAsync($"20 03 00 {(byte)row.Fault:X2} 00"); // [MQTT-3.1.4-2]
                await raw.ExpectEndAsync();
            }
            await using var connected = row.Version == ProtocolVersion.V5
                ? await RawClient.Connect5Async(broker.EndPoints[0], "c")
                : await RawClient.ConnectAsync(broker.EndPoints[0], "c");
            await connected.SendAsync(row.Bytes);
            if (row.Version == ProtocolVersion.V5)
                Assert.Equal(0xE0, (await connected.ReadPacketAsync())[0]);
            await connected.ExpectEndAsync();
        }
        await bystander.ExpectNothingAsync();
    }

    [Fact]
    public async Task Packets_cut_at_every_byte_harm_nobody()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var bystander = await RawClient.ConnectAsync(broker.EndPoints[0], "bystander");
        foreach (var row in PacketTable.Valid.Where(row => row.Bytes.Length < 100))
        {
            for (var cut = 1; cut < row.Bytes.Length; cut++)
            {
                await using var raw = await RawClient.OpenAsync(broker.EndPoints[0]);
                await raw.SendAsync(row.Bytes.AsMemory(0, cut));
            }
        }
        await bystander.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("30 FF FF FF 7F")] // 256 MiB are promised.
    [InlineData("C0 00")]
    [InlineData("30 { 'a' }")]
    [InlineData("20 02 00 00")]
    [Clause("MQTT-3.1.0-1", "MQTT-3.14.0-1")]
    public async Task Whoever_does_not_begin_with_connect_is_cut_off(string notation)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(notation);
        await client.ExpectEndAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.0-2", "MQTT-3.2.0-2", "MQTT-3.14.2-2", "MQTT-3.14.4-1", "MQTT-3.14.4-2")]
    public async Task A_second_connect_is_a_protocol_error()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("10 { 'MQTT' 05 | 02 | 00 00 | {} | 'c' }");
        await client.ExpectAsync("E0 01 82");
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task A_packet_beyond_the_limit_is_refused_at_its_header()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { PayloadSize = 1000 } });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("30 E5 87 08"); // A byte more than 1,000 and 128 KiB, with its header.
        await client.ExpectAsync("E0 01 95");
        await client.ExpectEndAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-22", "MQTT-3.2.2-22")]
    public async Task Silence_ends_a_connection_before_and_after_connect()
    {
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time });
        await using var mute = await RawClient.OpenAsync(broker.EndPoints[0]);
        await using var slow = await RawClient.OpenAsync(broker.EndPoints[0]);
        await slow.SendAsync("10 { 'MQTT' 04 | 02 | 00 3C | 'slow' }");
        await slow.ExpectAsync("20 02 00 00");

        await EndsAsTimePassesAsync(mute, time);
        await slow.ExpectNothingAsync();
        await EndsAsTimePassesAsync(slow, time);
    }

    [Fact]
    public async Task Whoever_drips_connect_byte_by_byte_has_no_more_time_than_others()
    {
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        var end = client.ExpectEndAsync();
        for (var second = 0; second < 60 && !end.IsCompleted; second++)
        {
            await client.SendAsync(second == 0 ? new byte[] { 0x10, 100 } : new byte[] { 0 });
            await Task.WhenAny(end, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken));
            time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.True(await Task.WhenAny(end, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, TestContext.Current.CancellationToken)) == end, "it is still there after a minute");
    }

    [Fact]
    public async Task A_flood_of_connections_that_say_nothing_leaves_those_who_are_here_alone()
    {
        var refused = 0;
        await using var broker = await TestBroker.StartAsync(options => options with
        {
            Limits = new BrokerLimits { Connections = 100, ConnectTimeout = TimeSpan.FromMinutes(10) },
            Refused = refusal => Interlocked.Add(ref refused, refusal.Reason == ReasonCode.ServerBusy ? 1 : 0),
        });
        await using var bystander = await RawClient.ConnectAsync(broker.EndPoints[0], "bystander");
        var flood = new List<RawClient>();
        for (var i = 0; i < 500; i++)
            flood.Add(await RawClient.OpenAsync(broker.EndPoints[0]));
        await bystander.ExpectNothingAsync();
        await Until.TrueAsync(() => Volatile.Read(ref refused) == 401, () => $"{refused} were refused, not 401"); // The bystander has one of the places.
        foreach (var mute in flood)
            await mute.DisposeAsync();
        await bystander.ExpectNothingAsync();
    }

    [Fact]
    public async Task User_properties_count_as_memory_of_what_waits()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { QueuedBytes = 1 << 20 } });
        await using (var away = await RawClient.ConnectAsync(broker.EndPoints[0], "away", clean: false))
        {
            await away.SendAsync("82 { 00 01 | 'a' 01 } | E0 00");
            await away.ExpectAsync("90 03 00 01 01");
            await away.ExpectEndAsync();
        }
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        var properties = string.Concat(Enumerable.Repeat("26 '' ''", 20_000)); // 100 kB.
        for (var id = 1; id <= 11; id++)
        {
            await publisher.SendAsync($"32 {{ 'a' 00 {id:X2} {{ {properties} }} }}");
            await publisher.ExpectAsync($"40 02 00 {id:X2}");
        }
        await publisher.SendAsync("32 { 'a' 00 0C {} }");
        await publisher.ExpectAsync("40 03 00 0C 97");
    }

    [Fact]
    public async Task Without_memory_the_host_gets_no_message_at_qos_0_and_it_is_counted()
    {
        var time = new FakeTimeProvider();
        var refusals = new ConcurrentQueue<Refusal>();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time, Holds = topic => topic == "held", Refused = refusals.Enqueue, Limits = new BrokerLimits { Memory = 1 } });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }");
        broker.Complete([await broker.Incoming.ReadAsync(TestContext.Current.CancellationToken)]);
        await client.ExpectAsync("20 02 00 00");
        await time.PassUntilAsync(IsDropped, () => "all messages are taken in");
        Assert.Contains(refusals, refusal => refusal is { Kind: RefusalKind.Drop, Drop: DropKind.NoMemory, ClientId: "c" });
        while (broker.Incoming.TryRead(out _))
        {
            // What came before.
        }
        await client.SendAsync("30 { 'held' \"1\" } | C0 00");
        await client.ExpectAsync("D0 00");
        Assert.False(broker.Incoming.TryRead(out _));

        bool IsDropped()
        {
            client.Stream.Write(Bytes.Of("30 { 'held' \"1\" }"));
            return broker.Statistics.MessagesWithoutMemory > 0;
        }
    }

    [Theory]
    [InlineData("31 { 'b' \"2\" }")]
    [InlineData("E0 01 04")] // The will is retained.
    public async Task What_nobody_could_be_told_of_is_not_retained_beyond_the_limit_and_goes_to_subscribers(string packet)
    {
        var refusals = new ConcurrentQueue<Refusal>();
        await using var broker = await TestBroker.StartAsync(options => options with { Refused = refusals.Enqueue, Limits = new BrokerLimits { RetainedMessages = 1 } });
        await using var other = await RawClient.ConnectAsync(broker.EndPoints[0], "o");
        await other.SendAsync("82 { 00 01 | '#' 00 }");
        await other.ExpectAsync("90 03 00 01 00");
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 05 | 26 | 00 00 | {} | 'c' | {} | 'b' | 00 01 \"2\" } | 31 { 'a' {} \"1\" }");
        await other.ExpectAsync("30 { 'a' \"1\" }");
        await client.SendAsync(packet.Replace("'b'", "'b' {}", StringComparison.Ordinal));
        await other.ExpectAsync("30 { 'b' \"2\" }");
        Assert.Equal(1, broker.Statistics.Retained);
        Assert.Contains(refusals, refusal => refusal is { Kind: RefusalKind.Message, Reason: ReasonCode.QuotaExceeded } && refusal.Explanation.StartsWith("b:", StringComparison.Ordinal));
        Assert.True(broker.Statistics.RetainedBytes is > 0 and < 1000);

        await using var again = await RawClient.Connect5Async(broker.EndPoints[0], "d");
        await again.SendAsync("31 { 'a' {} \"3\" }"); // A known topic goes on.
        await other.ExpectAsync("30 { 'a' \"3\" }");
        await again.SendAsync("31 { 'a' {} }");
        await other.ExpectAsync("30 { 'a' }");
        Assert.Equal((0, 0), (broker.Statistics.Retained, broker.Statistics.RetainedBytes));
    }

    [Fact]
    public async Task Retained_messages_use_a_quarter_of_the_memory_at_most_and_others_are_served()
    {
        var refusals = new ConcurrentQueue<Refusal>();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = new FakeTimeProvider(), Refused = refusals.Enqueue, Limits = new BrokerLimits { Memory = 40_000 } });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        var (small, large) = (new string('s', 4000), new string('l', 9000));
        await client.SendAsync($"33 {{ 'a' 00 01 {{}} \"{small}\" }} | 33 {{ 'b' 00 02 {{}} \"{small}\" }}");
        await client.ExpectAsync("40 02 00 01 | 40 02 00 02");
        await client.SendAsync($"33 {{ 'c' 00 03 {{}} \"{small}\" }} | 33 {{ 'a' 00 04 {{}} \"{large}\" }} | 31 {{ 'd' {{}} \"{large}\" }} | 32 {{ 'e' 00 05 {{}} \"{large}\" }}");
        await client.ExpectAsync("40 03 00 03 97 | 40 03 00 04 97 | 40 02 00 05");
        Assert.Equal(2, broker.Statistics.Retained);
        Assert.Contains(refusals, refusal => refusal is { Reason: ReasonCode.QuotaExceeded } && refusal.Explanation.StartsWith("d:", StringComparison.Ordinal));
        await client.SendAsync($"33 {{ 'a' 00 06 {{}} \"2\" }} | 33 {{ 'b' 00 07 {{}} }}"); // Room is made.
        await client.ExpectAsync("40 02 00 06 | 40 02 00 07");
        await client.SendAsync($"33 {{ 'a' 00 08 {{}} \"{large}\" }}");
        await client.ExpectAsync("40 02 00 08");
    }

    [Fact]
    public async Task Without_memory_nothing_is_taken_in_that_would_have_to_wait()
    {
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time, Limits = new BrokerLimits { Memory = 1 } });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 {} | 'a' 00 } | 32 { 'x' 00 01 {} }");
        await client.ExpectAsync("90 { 00 01 {} 00 } | 40 02 00 01");
        await time.PassUntilAsync(IsFull, () => "memory was never seen to be full"); // It is looked at now and then.
        await client.SendAsync("32 { 'x' 00 02 {} } | 82 { 00 03 {} | 'b' 00 }");
        byte[] answer = [];
        await Until.TrueAsync(async () => (answer = await client.ReadPacketAsync())[0] != 0x30, () => "there is no end to the messages");
        Assert.Equal(Bytes.Of("40 03 00 02 97"), answer);
        await client.ExpectAsync("90 { 00 03 {} 97 }");
        await using var other = await RawClient.OpenAsync(broker.EndPoints[0]);
        await other.SendAsync("10 { 'MQTT' 05 | 02 | 00 00 | {} | 'other' }");
        await other.ExpectAsync("20 03 00 97 00");

        bool IsFull()
        {
            broker.Publish(new Message { Topic = "a" });
            return broker.Statistics.MessagesDropped > 0;
        }
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_closed_and_there_is_room_again_afterwards()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { Connections = 1 } });
        await using (var first = await RawClient.ConnectAsync(broker.EndPoints[0], "1"))
        {
            await using var second = await RawClient.OpenAsync(broker.EndPoints[0]);
            await second.ExpectEndAsync();
            await first.SendAsync("E0 00");
            await first.ExpectEndAsync();
        }
        await using var third = await RawClient.ConnectAsync(broker.EndPoints[0], "3");
    }

    [Fact]
    [Clause("MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.8.4-7", "MQTT-3.9.3-1", "MQTT-3.9.3-2")]
    public async Task Subscriptions_and_levels_beyond_the_limit_are_refused_with_a_reason()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { SubscriptionsPerClient = 1, TopicLevels = 3 } });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 {} | 'a' 00 | 'b' 00 | 'a' 00 | 'a/b/c/d' 00 } | 32 { 'a/b/c/d' 00 01 {} }");
        await client.ExpectAsync("90 { 00 01 {} | 00 97 00 8F } | 40 03 00 01 90");
    }

    [Fact]
    [Clause("MQTT-3.4.2-1", "MQTT-3.5.2-1")]
    public async Task When_the_queue_of_a_client_that_is_away_is_full_the_publisher_is_told()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { QueuedMessages = 2 } });
        await using (var away = await RawClient.ConnectAsync(broker.EndPoints[0], "away", clean: false))
        {
            await away.SendAsync("82 { 00 01 | 'a' 01 } | E0 00");
            await away.ExpectAsync("90 03 00 01 01");
            await away.ExpectEndAsync();
        }
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await publisher.SendAsync("32 { 'a' 00 01 {} \"1\" } | 32 { 'a' 00 02 {} \"2\" } | 32 { 'a' 00 03 {} \"3\" } | 34 { 'a' 00 04 {} \"4\" } | 32 { 'b' 00 05 {} }");
        await publisher.ExpectAsync("40 02 00 01 | 40 02 00 02 | 40 03 00 03 97 | 50 03 00 04 97 | 40 02 00 05");

        await using var back = await RawClient.ConnectAsync(broker.EndPoints[0], "away", clean: false, expectSession: true);
        await back.ExpectAsync("32 { 'a' 00 01 \"1\" } | 32 { 'a' 00 02 \"2\" }");
        await back.SendAsync("40 02 00 01 | 40 02 00 02");
        await back.ExpectNothingAsync();
        await publisher.SendAsync("32 { 'a' 00 06 {} \"6\" }");
        await publisher.ExpectAsync("40 02 00 06");
        await back.ExpectAsync("32 { 'a' 00 03 \"6\" }");
    }

    [Fact]
    public async Task A_subscriber_that_does_not_read_is_cut_off_and_others_are_served()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { QueuedMessages = 1000, ConnectTimeout = TimeSpan.FromSeconds(1) } });
        await using var slow = await RawClient.ConnectAsync(broker.EndPoints[0], "slow");
        await slow.SendAsync("82 { 00 01 | 'a' 01 }");
        await slow.ExpectAsync("90 03 00 01 01");
        await using var good = await RawClient.ConnectAsync(broker.EndPoints[0], "good");
        await good.SendAsync("82 { 00 01 | 'b' 00 }");
        await good.ExpectAsync("90 03 00 01 00");
        var payload = new byte[10_000];
        for (var i = 0; i < 5000; i++)
            broker.Publish(new Message { Topic = "a", Payload = payload, Qos = 1 });
        broker.Publish(new Message { Topic = "b", Payload = "x"u8.ToArray() });
        await good.ExpectAsync("30 { 'b' \"x\" }");

        // Its session ended with it, so that it comes back to an empty one.
        await using var back = await RawClient.ConnectAsync(broker.EndPoints[0], "slow");
        await back.ExpectNothingAsync();
    }

    private static async Task EndsAsTimePassesAsync(RawClient client, FakeTimeProvider time)
    {
        var end = client.ExpectEndAsync();
        await time.PassUntilAsync(() => end.IsCompleted, () => "the client is still there");
        await end;
    }
}
