using System.Collections.Concurrent;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clients at the very limits, in raw bytes: what fits is taken.</summary>
public class LimitTests
{
    private const int Size = 1000;

    [Theory]
    [InlineData("", 1)]
    [InlineData("", 5)]
    [InlineData("{}", 1)]
    public async Task A_client_beyond_its_receive_maximum_is_read_no_further_until_there_is_room(string properties, int step)
    {
        const int maximum = 5;
        await using var broker = await TestBroker.StartAsync(options => options with { Holds = topic => topic == "held", Limits = new BrokerLimits { ReceiveMaximum = maximum } });
        await using var client = await ConnectAsync(broker, properties);
        broker.Complete(await ReadAsync(broker, 1)); // A new session has something to be forgotten first.
        await client.SendAsync(string.Join(" | ", Enumerable.Range(1, 20).Select(id => $"32 {{ 'held' 00 {id:X2} {properties} \"x\" }}")));
        for (var done = 0; done < 20; done += step)
        {
            var batch = await ReadAsync(broker, step);
            Assert.InRange(broker.Incoming.Count, 0, maximum - step);
            broker.Complete(batch);
            await client.ExpectAsync(string.Join(" | ", Enumerable.Range(done + 1, step).Select(id => $"40 02 00 {id:X2}"))); // In their order.
        }
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flood_at_qos_0_is_read_no_further_than_the_limit_and_others_do_not_wait_behind_it(bool isStrict)
    {
        const int maximum = 5;
        var limits = new BrokerLimits { ReceiveMaximum = maximum, IsReceiveMaximumStrict = isStrict };
        await using var broker = await TestBroker.StartAsync(options => options with { Holds = topic => topic == "held", Limits = limits });
        await using var client = await ConnectAsync(broker, "{}");
        await using var other = await RawClient.ConnectAsync(broker.EndPoints[0], "other");
        broker.Complete(await ReadAsync(broker, 2)); // New sessions.
        await client.SendAsync(string.Join(" | ", Enumerable.Range(1, 200).Select(id => $"30 {{ 'held' {{}} {id:X2} }}")));
        await Until.TrueAsync(() => broker.Incoming.Count == maximum, () => $"{broker.Incoming.Count} wait");
        await other.SendAsync("32 { 'held' 00 01 \"x\" }");
        await Until.TrueAsync(() => broker.Incoming.Count == maximum + 1, () => $"{broker.Incoming.Count} wait");
        var batch = await ReadAsync(broker, maximum + 1);
        Assert.Equal("other", batch[^1].ClientId);
        List<int> payloads = [.. batch.SkipLast(1).Select(incoming => (int)incoming.Message!.Payload.Span[0])];
        broker.Complete(batch);
        await other.ExpectAsync("40 02 00 01");
        while (payloads.Count < 200)
        {
            batch = await ReadAsync(broker, 1);
            Assert.InRange(broker.Incoming.Count, 0, maximum - 1);
            payloads.Add(batch[0].Message!.Payload.Span[0]);
            broker.Complete(batch);
        }
        Assert.Equal(Enumerable.Range(1, 200), payloads);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_can_go_on_publishing_at_qos_0_what_it_has_subscribed_to()
    {
        const int count = 200;
        await using var broker = await TestBroker.StartAsync(options => options with { Holds = topic => topic == "held", Limits = new BrokerLimits { ReceiveMaximum = 5 } });
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 | 'held' 00 }");
        await client.ExpectAsync("90 03 00 01 00");
        broker.Complete(await ReadAsync(broker, 1));
        var payload = new string('x', 100_000); // More than the network holds.
        var sending = client.SendAsync(string.Join(" | ", Enumerable.Repeat($"30 {{ 'held' \"{payload}\" }}", count))).AsTask();
        for (var i = 0; i < count; i++)
            broker.Complete(await ReadAsync(broker, 1));
        await sending;
    }

    [Fact]
    public async Task Only_what_exceeds_the_identifiers_disconnects_a_client_at_qos_2()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { ReceiveMaximum = 100 } });
        await using var client = await ConnectAsync(broker, "{}");
        for (var first = 1; first <= ushort.MaxValue; first += 1000)
        {
            var ids = Enumerable.Range(first, Math.Min(1000, ushort.MaxValue - first + 1)).ToList();
            await client.SendAsync(ids.SelectMany(id => new byte[] { 0x34, 6, 0, 1, (byte)'a', (byte)(id >> 8), (byte)id, 0 }).ToArray());
            await client.ExpectAsync(Convert.ToHexString([.. ids.SelectMany(id => new byte[] { 0x50, 2, (byte)(id >> 8), (byte)id })]));
        }
        await client.SendAsync("34 { 'a' 00 01 {} }"); // Taken for another message: there is no identifier left for it.
        await client.ExpectAsync("E0 01 93");
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task Filters_that_go_on_for_long_after_a_plus_are_bounded_in_all_and_others_are_not()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        var tail = string.Concat(Enumerable.Repeat("/+", 198));
        await client.SendAsync($"82 {{ 00 01 {{}} {string.Concat(Enumerable.Range(0, 50).Select(i => $"| '{i}/+{tail}' 00 "))} | '0/+{tail}' 00 | 'x/+{tail}' 00 | 'x{tail.Replace('+', 'x')}' 00 | 'x/#' 00 | '+' 00 }}");
        await client.ExpectAsync($"90 {{ 00 01 {{}} {string.Concat(Enumerable.Repeat("00 ", 50))} | 00 97 00 00 00 }}");
        await client.SendAsync("82 { 00 02 {} | '" + string.Concat(Enumerable.Repeat("+/", 49)) + "y' 00 | 'x/+/y' 00 }");
        await client.ExpectAsync("90 { 00 02 {} | 97 00 }");
        await client.SendAsync($"A2 {{ 00 03 {{}} | '0/+{tail}' }} | 82 {{ 00 04 {{}} | 'x/+{tail}' 00 }}");
        await client.ExpectAsync("B0 { 00 03 {} | 00 } | 90 { 00 04 {} | 00 }");
    }

    [Fact]
    public async Task A_thousand_filters_that_overlap_bring_each_message_once_with_all_their_identifiers()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        for (var i = 0; i < 1000; i++)
        {
            var filter = string.Join('/', Enumerable.Range(0, 10).Select(level => (i >> level) % 2 == 0 ? "+" : "a"));
            await client.SendAsync($"82 {{ 00 01 {{ 0B {(i % 100) + 1:X2} }} | '{filter}' {(i == 7 ? 1 : 0):X2} }}");
            await client.ExpectAsync($"90 {{ 00 01 {{}} | {(i == 7 ? 1 : 0):X2} }}");
        }
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        var topic = string.Join('/', Enumerable.Repeat("a", 10));
        for (var round = 1; round <= 3; round++)
        {
            await publisher.SendAsync($"32 {{ '{topic}' 00 01 {{}} \"{round}\" }}");
            await publisher.ExpectAsync("40 02 00 01");
            var message = await client.ReadExactlyAsync(1 + 2 + 2 + topic.Length + 2 + 2 + 2000 + 1);
            Assert.Equal(0x32, message[0]); // Once, with the highest QoS.
            var properties = message[(3 + 2 + topic.Length + 2)..]; // After the packet's length, its topic and its identifier.
            Assert.Equal([0xD0, 0x0F], properties[..2]); // 2,000 bytes follow.
            var identifiers = properties[2..2002].ToArray().Chunk(2).ToList();
            Assert.All(identifiers, pair => Assert.Equal(0x0B, pair[0]));
            Assert.All(identifiers.CountBy(pair => pair[1]), count => Assert.Equal(10, count.Value));
            Assert.Equal($"{round}", System.Text.Encoding.ASCII.GetString(properties[2002..]));
            await client.SendAsync(new byte[] { 0x40, 2, message[5 + topic.Length], message[6 + topic.Length] });
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    public async Task A_payload_of_exactly_the_limit_fits_however_long_its_topic_is(string properties)
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { PayloadSize = Size } });
        foreach (var topic in new[] { "a", new string('t', 65_535) })
        {
            await using var client = await ConnectAsync(broker, properties);
            await client.SendAsync($"32 {{ '{topic}' 00 01 {properties} \"{new string('x', Size)}\" }}");
            await client.ExpectAsync("40 02 00 01");
            await client.SendAsync($"32 {{ '{topic}' 00 02 {properties} \"{new string('x', Size + 1)}\" }}");
            await client.ExpectAsync(properties.Length > 0 ? "E0 01 95" : "");
            await client.ExpectEndAsync();
        }
    }

    [Theory]
    [InlineData(Size, "20 02 00 00")]
    [InlineData(Size + 1, "20 02 00 03")]
    public async Task A_will_has_the_same_limit(int size, string answer)
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { PayloadSize = Size } });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync($"10 {{ 'MQTT' 04 | 06 | 00 00 | 'c' | 'w' '{new string('x', size)}' }}");
        await client.ExpectAsync(answer);
    }

    [Fact]
    public async Task A_topic_may_have_two_hundred_levels()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await ConnectAsync(broker, "{}");
        var (longest, tooLong) = (string.Join('/', Enumerable.Repeat("l", 200)), string.Join('/', Enumerable.Repeat("l", 201)));
        await client.SendAsync($"82 {{ 00 01 {{}} | '{longest}' 00 | '{tooLong}' 00 }}");
        await client.ExpectAsync("90 { 00 01 {} 00 8F }");
        await client.SendAsync($"30 {{ '{longest}' {{}} \"x\" }}");
        await client.ExpectAsync($"30 {{ '{longest}' {{}} \"x\" }}");
        await client.SendAsync($"32 {{ '{tooLong}' 00 02 {{}} }}");
        await client.ExpectAsync("40 03 00 02 90");
    }

    [Theory]
    [InlineData("$share/g/a")]
    [InlineData("$share/g")]
    [InlineData("$share/")]
    [InlineData("$share//a")]
    public async Task Nothing_is_published_to_a_shared_subscription(string topic)
    {
        var refused = new ConcurrentQueue<Refusal>();
        await using var broker = await TestBroker.StartAsync(options => options with { Refused = refused.Enqueue });
        await using var client = await ConnectAsync(broker, "{}");
        await client.SendAsync($"32 {{ '{topic}' 00 01 {{}} }} | 34 {{ '{topic}' 00 02 {{}} }} | 32 {{ '{topic}' 00 03 {{ 23 00 01 }} }} | 32 {{ '' 00 04 {{ 23 00 01 }} }}");
        await client.ExpectAsync("40 03 00 01 90 | 50 03 00 02 90 | 40 03 00 03 90 | 40 03 00 04 90");
        Assert.All(refused, refusal => Assert.Equal((RefusalKind.Message, topic), (refusal.Kind, refusal.Explanation)));
        await client.SendAsync($"30 {{ '{topic}' {{}} }}");
        await client.ExpectAsync("E0 01 90");
        await using var old = await ConnectAsync(broker, "");
        await old.SendAsync($"32 {{ '{topic}' 00 01 }}");
        await old.ExpectEndAsync();
        await using var will = await RawClient.OpenAsync(broker.EndPoints[0]);
        await will.SendAsync($"10 {{ 'MQTT' 05 | 06 | 00 00 | {{}} 'w' | {{}} '{topic}' 'x' }}");
        await will.ExpectAsync("20 03 00 90 00");
        await using var allowed = await ConnectAsync(broker, "{}");
        await allowed.SendAsync("32 { '$share' 00 01 {} } | 32 { '$shared/a' 00 02 {} } | 32 { 'a/$share/b' 00 03 {} }");
        await allowed.ExpectAsync("40 02 00 01 | 40 02 00 02 | 40 02 00 03");
    }

    private static Task<RawClient> ConnectAsync(MqttBroker broker, string properties) =>
        properties.Length > 0 ? RawClient.Connect5Async(broker.EndPoints[0], "c") : RawClient.ConnectAsync(broker.EndPoints[0], "c");

    private static async Task<List<Incoming>> ReadAsync(MqttBroker broker, int count)
    {
        var read = new List<Incoming>();
        while (read.Count < count)
            read.Add(await broker.Incoming.ReadAsync(TestContext.Current.CancellationToken));
        return read;
    }
}
