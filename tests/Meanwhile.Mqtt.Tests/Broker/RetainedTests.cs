using System.Globalization;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>What is retained, towards clients that subscribe to much of it at once.</summary>
public class RetainedTests
{
    [Fact]
    [Clause("MQTT-4.7.2-1")]
    public async Task They_come_behind_the_answer_in_the_order_of_the_filters_and_of_first_retention()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var topic in (string[])["b/2", "a/2", "b/1", "a/1", "$SYS/a"])
            Retain(broker, topic, "1");
        Retain(broker, "b/2", "2");
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 | 'b/+' 00 | '+/1' 00 | '#' 00 }");
        await client.ExpectAsync("90 05 00 01 00 00 00");
        foreach (var (topic, payload) in (IEnumerable<(string, int)>)[("b/2", 2), ("b/1", 1), ("b/1", 1), ("a/1", 1), ("b/2", 2), ("a/2", 1), ("b/1", 1), ("a/1", 1)])
            await client.ExpectAsync($"31 {{ '{topic}' \"{payload}\" }}");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_filter_that_comes_thousands_of_times_in_a_packet_is_searched_for_once_and_each_is_answered()
    {
        const int repeats = 5000;
        await using var broker = await TestBroker.StartAsync();
        Retain(broker, "a", "1");
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync($"82 {{ 00 01 | {string.Concat(Enumerable.Repeat("'#' 00 ", repeats))} '#' 01 }}");
        await client.ExpectAsync($"90 {{ 00 01 | {string.Concat(Enumerable.Repeat("00 ", repeats))} 01 }}");
        await client.ExpectAsync("31 { 'a' \"1\" }");
        await client.ExpectNothingAsync();
        Assert.Equal(1, broker.Statistics.Subscriptions);
        await client.SendAsync($"A2 {{ 00 02 | {string.Concat(Enumerable.Repeat("'#' ", repeats))} }}");
        await client.ExpectAsync("B0 02 00 02");
        Assert.Equal(0, broker.Statistics.Subscriptions);
    }

    [Fact]
    public async Task Of_a_filter_that_comes_twice_the_last_counts_and_retained_messages_come_if_either_asks_for_them()
    {
        await using var broker = await TestBroker.StartAsync();
        Retain(broker, "a", "1");
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 | 00 | 'a' 00 | 'a' 20 }"); // Without retained messages the second time.
        await client.ExpectAsync("90 05 00 01 00 00 00 | 31 { 'a' 00 \"1\" }");
        await client.SendAsync("82 { 00 02 | 00 | 'a' 10 | 'a' 20 }"); // It is not new.
        await client.ExpectAsync("90 05 00 02 00 00 00");
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("82", " 00")]
    [InlineData("A2", "")]
    public async Task More_filters_than_a_packet_may_have_end_the_connection(string type, string options)
    {
        var refusals = new List<Refusal>();
        await using var broker = await TestBroker.StartAsync(options => options with { Refused = refusals.Add });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync($"{type} {{ 00 01 | 00 | {string.Concat(Enumerable.Repeat($"'a'{options} ", 10_001))} }}");
        await client.ExpectAsync("E0 01 97");
        await client.ExpectEndAsync();
        Assert.Equal("more than 10000 filters in one packet", Assert.Single(refusals).Explanation);
    }

    [Fact]
    public async Task What_does_not_fit_into_the_queue_is_dropped_at_once_and_the_subscription_is_in_force()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = options.Limits with { QueuedMessages = 10 } });
        for (var i = 0; i < 1000; i++)
            Retain(broker, $"a/{i}", "1");
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 | '#' 00 | 'a/#' 00 | '+/+' 00 }");
        await client.ExpectAsync("90 05 00 01 00 00 00");
        for (var i = 0; i < 10; i++)
            Assert.Equal(0x31, (await client.ReadPacketAsync())[0]);
        await client.ExpectNothingAsync();
        Assert.Equal(1, broker.Statistics.MessagesDropped);
        Assert.Equal(3, broker.Statistics.Subscriptions);
    }

    [Fact]
    public async Task Of_what_is_retained_while_a_client_subscribes_the_last_of_each_topic_reaches_it()
    {
        const int topics = 5000;
        await using var broker = await TestBroker.StartAsync();
        var random = Seeds.Random();
        var last = new int[topics];
        for (var i = 0; i < topics; i += 2)
            Retain(broker, TopicOf(i), "0");
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        using var subscribed = new CancellationTokenSource();
        var publishing = Task.Run(() =>
        {
            for (var n = 1; !subscribed.IsCancellationRequested; n++)
            {
                var i = random.Next(topics);
                Retain(broker, TopicOf(i), $"{last[i] = n}");
            }
        }, TestContext.Current.CancellationToken);
        await client.SendAsync($"82 {{ 00 01 | 'd/+/+/+' 00 | {string.Concat(Enumerable.Range(0, 900).Select(i => $"'+/x/+/{i}' 00 "))} }}");
        Assert.Equal([0x90, 0x87, 0x07], await client.ReadExactlyAsync(3));
        await client.ReadExactlyAsync(903);
        await subscribed.CancelAsync();
        await publishing;
        Retain(broker, "d/the/end/x", "1");
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        while (!seen.ContainsKey("d/the/end/x"))
        {
            var packet = await client.ReadPacketAsync();
            var topic = Encoding.UTF8.GetString(packet, 4, packet[3]);
            var number = int.Parse(Encoding.UTF8.GetString(packet[(4 + packet[3])..]), CultureInfo.InvariantCulture);
            Assert.True(number >= seen.GetValueOrDefault(topic), "an older one comes after a newer one");
            seen[topic] = number;
        }
        for (var i = 0; i < topics; i++)
            Assert.Equal(last[i], seen.GetValueOrDefault(TopicOf(i)));

        static string TopicOf(int i) => $"d/{i % 70}/{i}/y";
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_is_subscribed_to_nothing()
    {
        var parts = new BrokerParts(new BrokerOptions { Listeners = [] });
        for (var i = 0; i < 10_000; i++)
            parts.Router.Route(new Message { Topic = $"d/{i}/y", Payload = "1"u8.ToArray(), Retain = true }, from: null);
        var session = new ClientSession("c", new SessionLimits(1, 1, 100_000, 1 << 20), parts.Journal, parts.Drops, [], []);
        using var left = new CancellationTokenSource();
        var handler = new SubscriptionHandler(session, parts, CancellationToken.None, left.Token);
        await left.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => handler.SubscribeAsync(new SubscribePacket(1, [new SubscriptionRequest("+/+/+", 1)])));
        Assert.Empty(session.Subscriptions);
        Assert.False(parts.Router.Route(new Message { Topic = "d/1/y", Qos = 1 }, from: null).IsKept);
    }

    private static void Retain(MqttBroker broker, string topic, string payload) =>
        broker.Publish(new Message { Topic = topic, Payload = Encoding.UTF8.GetBytes(payload), Retain = true });
}
