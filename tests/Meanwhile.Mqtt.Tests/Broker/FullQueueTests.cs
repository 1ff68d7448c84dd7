using System.Collections.Concurrent;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Queues of clients that are away or too slow: what is said while they fill, and what becomes of what does not fit in.</summary>
public class FullQueueTests
{
    private readonly ConcurrentQueue<QueueFill> _said = new();
    private readonly ConcurrentQueue<Refusal> _refused = new();

    [Fact]
    public async Task A_queue_that_fills_is_said_at_half_nine_tenths_and_the_limit_once_until_it_was_emptied()
    {
        await using var broker = await StartAsync(FullQueue.Refuse);
        await LeaveSessionAsync(broker, "away", "a");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        for (byte i = 1; i <= 20; i++)
            await PublishAsync(publisher, "a", i);
        Assert.Equal([(QueueLevel.Half, 10), (QueueLevel.NineTenths, 18), (QueueLevel.Full, 20)], _said.Select(fill => (fill.Level, fill.Messages)));
        Assert.All(_said, fill => Assert.Equal(("away", false, 20), (fill.ClientId, fill.IsConnected, fill.MostMessages)));
        Assert.Equal(("away", QueueLevel.Full), Assert.Single(broker.FillingQueues) is var queue ? (queue.ClientId, queue.Level) : default);

        await using (var client = await RawClient.ConnectAsync(broker.EndPoints[0], "away", clean: false, expectSession: true))
        {
            for (var i = 1; i <= 20; i++)
                await client.SendAsync(new byte[] { 0x40, 2, 0, (await client.ReadPacketAsync())[6] });
            await client.ExpectNothingAsync();
        }
        Assert.Empty(broker.FillingQueues);
        for (byte i = 1; i <= 10; i++)
            await PublishAsync(publisher, "a", i);
        Assert.Equal(4, _said.Count);
        Assert.Equal(QueueLevel.Half, Assert.Single(broker.FillingQueues).Level);
    }

    [Fact]
    public async Task A_queue_that_fills_by_bytes_is_said_as_well()
    {
        await using var broker = await StartAsync(FullQueue.Refuse, messages: 1000, bytes: 1500);
        await LeaveSessionAsync(broker, "away", "a");
        for (var i = 0; i < 10; i++)
            broker.Publish(new Message { Topic = "a", Qos = 1, Payload = new byte[70] }); // 200 bytes each.
        Assert.Equal([(QueueLevel.Half, 800L), (QueueLevel.NineTenths, 1400L), (QueueLevel.Full, 1600L)], _said.Select(fill => (fill.Level, fill.Bytes)));
    }

    [Fact]
    public async Task Where_queues_drop_nobody_is_refused_and_only_the_client_whose_queue_is_full_gets_less()
    {
        await using var broker = await StartAsync(FullQueue.Drop);
        await LeaveSessionAsync(broker, "away", "a");
        await using var other = await RawClient.ConnectAsync(broker.EndPoints[0], "other");
        await other.SendAsync("82 { 00 01 | 'a' 00 }");
        await other.ExpectAsync("90 03 00 01 00");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        for (byte i = 1; i <= 25; i++)
        {
            await PublishAsync(publisher, "a", i);
            await other.ExpectAsync($"30 04 00 01 61 {i:X2}");
        }
        Assert.Equal(5, broker.Statistics.MessagesDropped);
        Assert.Equal([.. Enumerable.Repeat((RefusalKind.Copy, "away"), 5)], _refused.Select(refusal => (refusal.Kind, refusal.ClientId)));
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "away", clean: false, expectSession: true);
        for (byte i = 1; i <= 20; i++) // What waited stays; the newest are gone.
            Assert.Equal(i, (await client.ReadPacketAsync())[^1]);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(FullQueue.Refuse)]
    [InlineData(FullQueue.Drop)]
    public async Task A_shared_subscription_passes_over_a_member_whose_queue_is_full_while_another_has_room(FullQueue whenFull)
    {
        await using var broker = await StartAsync(whenFull);
        await LeaveSessionAsync(broker, "full", "a", "$share/g/b");
        await LeaveSessionAsync(broker, "empty", "$share/g/b");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        for (byte i = 1; i <= 20; i++)
            await PublishAsync(publisher, "a", i);
        for (byte i = 1; i <= 10; i++)
            await PublishAsync(publisher, "b", i);
        Assert.Equal(0, broker.Statistics.MessagesDropped);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "empty", clean: false, expectSession: true);
        for (byte i = 1; i <= 10; i++)
            Assert.Equal(i, (await client.ReadPacketAsync())[^1]);
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_session_that_is_ended_is_gone_with_its_queue_its_subscriptions_and_its_connection()
    {
        await using var broker = await StartAsync(FullQueue.Refuse);
        await LeaveSessionAsync(broker, "away", "a");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        for (byte i = 1; i <= 20; i++)
            await PublishAsync(publisher, "a", i);
        await using var here = await RawClient.Connect5Async(broker.EndPoints[0], "here", "11 00 00 00 64");
        Assert.True(await broker.EndSessionAsync("away", TestContext.Current.CancellationToken));
        Assert.True(await broker.EndSessionAsync("here", TestContext.Current.CancellationToken));
        Assert.False(await broker.EndSessionAsync("away", TestContext.Current.CancellationToken));
        await here.ExpectAsync("E0 01 98");
        await here.ExpectEndAsync();
        Assert.Empty(broker.FillingQueues);
        Assert.Equal((1, 1, 0), broker.Statistics is var statistics ? (statistics.Clients, statistics.Sessions, statistics.Subscriptions) : default);
        await PublishAsync(publisher, "a", 21); // Nobody refuses it any more.
        await using var again = await RawClient.ConnectAsync(broker.EndPoints[0], "away", clean: false, expectSession: false);
        await again.ExpectNothingAsync();
    }

    [Fact]
    public async Task The_will_that_waits_with_a_session_is_published_when_that_is_ended()
    {
        await using var broker = await StartAsync(FullQueue.Refuse);
        await using var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "watcher");
        await watcher.SendAsync("82 { 00 01 | 'w' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        await using (var client = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await client.SendAsync("10 { 'MQTT' 05 06 00 00 { 11 00 00 03 E8 } 'dying' { 18 00 00 03 E8 } 'w' 'gone' }");
            await client.ReadPacketAsync();
        }
        await Until(() => broker.Statistics.Clients == 1);
        Assert.True(await broker.EndSessionAsync("dying", TestContext.Current.CancellationToken));
        await watcher.ExpectAsync("30 { 'w' \"gone\" }");
    }

    private Task<MqttBroker> StartAsync(FullQueue whenFull, int messages = 20, long bytes = 1 << 20) => TestBroker.StartAsync(options => options with
    {
        Filling = _said.Enqueue,
        Refused = _refused.Enqueue,
        Limits = options.Limits with { QueuedMessages = messages, QueuedBytes = bytes, WhenFull = whenFull },
    });

    // A client of 3.1.1 that subscribes at QoS 1, and goes.
    private static async Task LeaveSessionAsync(MqttBroker broker, string clientId, params string[] filters)
    {
        var clients = broker.Statistics.Clients;
        await using (var client = await RawClient.ConnectAsync(broker.EndPoints[0], clientId, clean: false))
        {
            await client.SendAsync($"82 {{ 00 01 | {string.Concat(filters.Select(filter => $"'{filter}' 01 "))} }}");
            await client.ExpectAsync($"90 {{ 00 01 {string.Concat(filters.Select(_ => "01 "))} }}");
            await client.SendAsync("E0 00");
            await client.ExpectEndAsync();
        }
        await Until(() => broker.Statistics.Clients == clients);
    }

    private static async Task PublishAsync(RawClient publisher, string topic, byte number)
    {
        await publisher.SendAsync($"32 {{ '{topic}' 00 01 {number:X2} }}");
        await publisher.ExpectAsync("40 02 00 01");
    }

    private static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
    }
}
