using System.Buffers;
using System.IO.Pipelines;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>What a few clients can make the broker hold is limited, so that no memory that others need is used up.</summary>
public class MemoryShareTests
{
    private const int Mebibyte = 1 << 20;

    private static readonly SessionLimits Limits = new(10, 10, 1000, long.MaxValue);

    [Fact]
    public async Task Of_a_large_message_a_client_that_does_not_read_holds_a_small_part_and_gets_all_when_it_reads()
    {
        var payload = new byte[Mebibyte];
        Seeds.Random().NextBytes(payload);
        var session = new ClientSession("c", Limits, new Journal(store: null), new DropCounters((_, _, _) => { }), [], []);
        var terms = new Terms(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = "c", CleanStart = true }, 100, 0);
        session.Connected(terms, sessionPresent: false);
        for (var qos = 0; qos < 3; qos++)
            session.Add(new Outgoing(new Message { Topic = "a", Payload = payload }, qos, Retain: false), isBounded: false);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 2, resumeWriterThreshold: 1));
        using var output = new ConnectionWriter(pipe.Writer, () => TimeSpan.Zero, new TrafficCounters());
        var writing = output.RunAsync(session);

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        var received = new List<byte>();
        foreach (var header in new[] { $"30 84 80 40 | 'a' 00", "32 86 80 40 | 'a' 00 01 00", "34 86 80 40 | 'a' 00 02 00" })
            await ExpectAsync([.. Bytes.Of(header), .. payload]);
        output.Stop(new DisconnectPacket(PacketType.Disconnect, ReasonCode.ServerShuttingDown));
        await ExpectAsync(Bytes.Of("E0 01 8B"));
        await writing;
        Assert.Empty(received);

        async Task ExpectAsync(byte[] packet)
        {
            while (received.Count < packet.Length)
            {
                var read = await pipe.Reader.ReadAsync(deadline.Token);
                Assert.InRange(read.Buffer.Length, 1, 64 * 1024);
                received.AddRange(read.Buffer.ToArray());
                pipe.Reader.AdvanceTo(read.Buffer.End);
            }
            Assert.True(packet.AsSpan().SequenceEqual(received.GetRange(0, packet.Length).ToArray()));
            received.RemoveRange(0, packet.Length);
        }
    }

    [Fact]
    public async Task Large_wills_have_a_share_of_the_memory_and_small_ones_are_always_kept()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { Memory = 16 * Mebibyte } });
        var large = new string('x', 60_000);
        var clients = new List<RawClient>();
        for (var i = 0; i < 17; i++)
            clients.Add(await ConnectAsync(i, large, "20 { 00 00"));
        await using var refused = await ConnectAsync(17, large, "20 { 00 97");
        await using var small = await ConnectAsync(18, "offline", "20 { 00 00");
        Assert.InRange(broker.Statistics.WillBytes, 17 * 60_000, Mebibyte);
        await clients[0].SendAsync("E0 00"); // It takes leave: its will is void.
        await clients[0].ExpectEndAsync();
        await clients[1].DisposeAsync(); // Its will is published.
        await Until.TrueAsync(() => broker.Statistics.Clients == 16, () => $"{broker.Statistics.Clients} clients");
        await using var again = await ConnectAsync(19, large, "20 { 00 00");
        foreach (var client in clients)
            await client.DisposeAsync();
        await again.SendAsync("E0 00");
        await small.SendAsync("E0 00");
        await Until.TrueAsync(() => broker.Statistics.WillBytes == 0, () => $"{broker.Statistics.WillBytes} bytes");

        async Task<RawClient> ConnectAsync(int number, string will, string answer)
        {
            var client = await RawClient.OpenAsync(broker.EndPoints[0]);
            await client.SendAsync($"10 {{ 'MQTT' 05 | 06 | 00 00 | {{}} | 'c{number}' | {{}} | 'w' | '{will}' }}");
            var packet = await client.ReadPacketAsync();
            Assert.Equal(Bytes.Of(answer + " }")[2..], packet[2..4]);
            return client;
        }
    }

    [Fact]
    public async Task Topic_aliases_of_a_client_stand_for_topics_of_a_limited_length_in_all()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        var topic = new string('t', 8192);
        await client.SendAsync($"30 {{ '{topic}' {{ 23 00 01 }} \"1\" }} | 30 {{ '{topic}' {{ 23 00 02 }} \"1\" }} | 30 {{ '{topic}' {{ 23 00 01 }} \"1\" }} | C0 00");
        await client.ExpectAsync("D0 00");
        await client.SendAsync("30 { 'a' { 23 00 03 } \"1\" }");
        await client.ExpectAsync("E0 01 97");
        await client.ExpectEndAsync();
    }

    [Fact]
    public void Topics_that_are_long_get_no_alias_towards_a_client_and_others_still_do()
    {
        var aliases = new SentAliases(100);
        Assert.Equal(1, aliases.Find(new string('a', 16_000), out _));
        Assert.Equal(0, aliases.Find(new string('b', 16_000), out var isNew));
        Assert.False(isNew);
        Assert.Equal(2, aliases.Find("c", out _));
        aliases.ForgetLast("c");
        Assert.Equal(2, aliases.Find(new string('d', 384), out _));
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public void A_connection_remembers_topics_that_are_not_long(int length, bool isRemembered)
    {
        var topics = new TopicCache();
        var bytes = new ReadOnlySequence<byte>([(byte)(length >> 8), (byte)length, .. Enumerable.Repeat((byte)'t', length)]);
        var first = new PacketReader(bytes);
        var second = new PacketReader(bytes);
        var topic = topics.Read(ref first);
        Assert.Equal(new string('t', length), topic);
        Assert.Equal(isRemembered, ReferenceEquals(topic, topics.Read(ref second)));
    }

    [Fact]
    public async Task Filters_have_a_limited_length_for_each_client_and_in_all()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { Memory = 8 * Mebibyte } });
        var filter = new string('f', 60_000);
        await using (var client = await RawClient.Connect5Async(broker.EndPoints[0], "a"))
        {
            foreach (var (number, reason) in new[] { (1, "00"), (2, "00"), (3, "00"), (4, "00"), (5, "97"), (1, "00") })
                await SubscribeAsync(client, number, reason);
            await SubscribeAsync(client, 6, "00", "short");
            await client.SendAsync($"A2 {{ 00 01 {{}} | '{filter}1' }}");
            await client.ExpectAsync("B0 { 00 01 {} | 00 }");
            await SubscribeAsync(client, 5, "00");
            await using var other = await RawClient.Connect5Async(broker.EndPoints[0], "b");
            await SubscribeAsync(other, 1, "97");
            await SubscribeAsync(other, 6, "00", "short");
            Assert.InRange(broker.Statistics.SubscriptionBytes, 4 * 240_000, Mebibyte);
        }
        await Until.TrueAsync(() => broker.Statistics.SubscriptionBytes == 0, () => $"{broker.Statistics.SubscriptionBytes} bytes");

        async Task SubscribeAsync(RawClient client, int number, string reason, string? instead = null)
        {
            await client.SendAsync($"82 {{ 00 01 {{}} | '{instead ?? filter}{number}' 00 }}");
            await client.ExpectAsync($"90 {{ 00 01 {{}} | {reason} }}");
        }
    }

    [Fact]
    public async Task Large_subscribes_of_many_clients_are_worked_off_a_few_at_a_time()
    {
        const int filters = 8000;
        var (now, most) = (0, 0);
        var gate = new Lock();
        var permissions = Permissions.All with { MaySubscribe = Note };
        await using var broker = await TestBroker.StartAsync(options => options with { Authenticate = (_, _) => ValueTask.FromResult(LoginAnswer.Accept(permissions)) });
        var clients = new List<RawClient>();
        for (var i = 0; i < 8; i++)
            clients.Add(await RawClient.Connect5Async(broker.EndPoints[0], $"c{i}"));
        var packet = Bytes.Of($"82 {{ 00 01 {{}} | 'first' 00 {string.Concat(Enumerable.Repeat("| 'between' 00 ", filters))} | 'last' 00 }}");
        await Task.WhenAll(clients.Select(client => client.SendAsync(packet).AsTask()));
        foreach (var client in clients)
        {
            await client.ExpectAsync($"90 {{ 00 01 {{}} | {string.Concat(Enumerable.Repeat("00", filters + 2))} }}");
            await client.DisposeAsync();
        }
        Assert.Equal((0, 2), (now, Math.Max(most, 2)));

        bool Note(string filter)
        {
            lock (gate)
            {
                now += filter switch { "first" => 1, "last" => -1, _ => 0 };
                most = Math.Max(most, now);
            }
            return true;
        }
    }

    [Fact]
    public void A_small_message_in_many_queues_counts_for_its_place_in_each()
    {
        const int Sessions = 1000;
        var all = new QueueMemory(Mebibyte);
        var limits = Limits with { QueuedBytes = 64 * Mebibyte, AllQueues = all };
        List<ClientSession> sessions = [.. Enumerable.Range(0, Sessions).Select(i => new ClientSession($"{i}", limits, new Journal(store: null), new DropCounters((_, _, _) => { }), [], []))];
        var sent = 0;
        for (; !all.IsTight && sent < 1000; sent++)
        {
            var message = new Message { Topic = "a", Payload = "1"u8.ToArray() };
            foreach (var session in sessions)
                session.Add(new Outgoing(message, 1, Retain: false), isBounded: false);
        }
        Assert.InRange(sent, 1, 16); // 128 kB each.
        foreach (var session in sessions)
            session.End();
        Assert.Equal(0, all.Held);
    }

    [Fact]
    public async Task Long_queues_have_a_share_of_the_memory_in_all_and_beyond_it_short_ones_still_get_longer()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { Memory = 8 * Mebibyte, QueuedBytes = Mebibyte } });
        foreach (var away in "abcde")
        {
            await using var client = await RawClient.Connect5Async(broker.EndPoints[0], $"{away}", "11 00 00 FF FF");
            await client.SendAsync($"82 {{ 00 01 {{}} | '{away}' 01 | 'all' 01 }} | E0 00");
            await client.ExpectAsync("90 { 00 01 {} | 01 01 }");
            await client.ExpectEndAsync();
        }
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        var large = new string('x', 100_000);
        for (var i = 0; i < 4; i++)
            await PublishAsync("all", large, isRefused: false); // Five copies of it, and once in memory.
        for (var i = 0; i < 7; i++)
            await PublishAsync("a", large, isRefused: false);
        await PublishAsync("a", large, isRefused: true); // Full as ever.
        for (var i = 0; i < 7; i++)
            await PublishAsync("b", large, isRefused: false);
        for (var i = 0; i < 3; i++)
            await PublishAsync("c", large, isRefused: false);
        await PublishAsync("d", large, isRefused: false); // The last one: now they are two mebibytes.
        await PublishAsync("d", large, isRefused: true);
        await using var fresh = await RawClient.Connect5Async(broker.EndPoints[0], "e"); // Its old session ends, and the new one's queue is short.
        await fresh.SendAsync("82 { 00 01 {} | 'e' 01 }");
        await fresh.ExpectAsync("90 { 00 01 {} | 01 }");
        await PublishAsync("e", "short", isRefused: false);
        await fresh.ExpectAsync("32 { 'e' 00 01 {} \"short\" }");
        await using (await RawClient.Connect5Async(broker.EndPoints[0], "b"))
            await PublishAsync("d", large, isRefused: false); // What waited in the session that has ended has left room.

        async Task PublishAsync(string topic, string payload, bool isRefused)
        {
            await publisher.SendAsync($"32 {{ '{topic}' 00 01 {{}} \"{payload}\" }}");
            await publisher.ExpectAsync(isRefused ? "40 03 00 01 97" : "40 02 00 01");
        }
    }

    public static TheoryData<Change> LargeChanges { get; } =
    [
        new RetainedChanged("a", new Message { Topic = "a", Payload = new byte[20 * Mebibyte] }),
        new MessageQueued("c", 1, new Message { Topic = "a", Payload = new byte[20 * Mebibyte] }, 1, Retain: false, Identifiers: null),
        new WillKept("c", 1, new Will("a", new byte[20 * Mebibyte], 0, Retain: false, default), DueAt: null),
        new SubscriptionAdded("c", new SubscriptionRequest(new string('f', 20 * Mebibyte), 0), null),
        new SubscriptionRemoved("c", new string('f', 20 * Mebibyte)),
    ];

    [Theory]
    [MemberData(nameof(LargeChanges), DisableDiscoveryEnumeration = true)]
    public void All_that_waits_for_a_commit_counts_and_is_forgotten_after_it(Change change)
    {
        var batch = new JournalBatch(1);
        batch.Add(change, session: null);
        Assert.InRange(batch.Bytes, 20 * Mebibyte, 50 * Mebibyte);
        batch.Settle();
        Assert.Empty(batch.Changes);
    }
}
