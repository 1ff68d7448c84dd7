using System.Collections.Concurrent;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>While the host takes nothing in, or nothing can be stored: every wait ends, and nothing is lost or mixed that was promised.</summary>
public class OutageTests
{
    private const int Full = 8192; // What the queue of the host takes.
    private const string Connect = "10 { 'MQTT' 04 | 00 | 00 00 | 'c' }"; // Clean Session is off.
    private const string ConnectWithWill = "10 { 'MQTT' 04 | 06 | 00 00 | 'c' | 'held' | 'gone' }";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ConcurrentQueue<Refusal> _refusals = [];

    [Theory]
    [InlineData(Connect)]
    [InlineData("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }")]
    [InlineData(ConnectWithWill)]
    public async Task Clients_that_come_again_while_the_host_takes_nothing_are_answered_or_closed_and_leave_no_connection_behind(string connect)
    {
        await using var broker = await StartAsync();
        List<RawClient> clients = [await RawClient.OpenAsync(broker.EndPoints[0])];
        await clients[0].SendAsync(connect);
        await clients[0].ExpectAsync("20 02 00 00");
        await using var filler = await FillAsync(broker);
        await clients[0].SendAsync("32 { 'held' 00 01 \"x\" } | 34 { 'held' 00 02 \"y\" }");
        for (var i = 0; i < 5; i++)
        {
            clients.Add(await RawClient.OpenAsync(broker.EndPoints[0]));
            await clients[^1].SendAsync($"{connect} | 32 {{ 'held' 00 01 \"x\" }} | 34 {{ 'held' 00 02 \"y\" }}");
        }
        await _time.PassUntilAsync(() => broker.Statistics.Connections <= 2, () => $"more than one stays: {broker.Statistics}"); // Whoever came last, and the one that fills the queue.
        foreach (var client in clients)
            await client.DisposeAsync();
        await _time.PassUntilAsync(() => broker.Statistics.Connections == 1, () => $"connections stay: {broker.Statistics}");
    }

    [Fact]
    public async Task Connections_whose_clients_have_gone_end_also_when_nobody_takes_them_over()
    {
        await using var broker = await StartAsync();
        await using var filler = await FillAsync(broker);
        for (var i = 0; i < 20; i++)
        {
            await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
            await client.SendAsync($"10 {{ 'MQTT' 04 | 06 | 00 00 | 'c{i}' | 'held' | 'gone' }} | 30 {{ 'held' \"x\" }}");
        }
        await _time.PassUntilAsync(() => broker.Statistics.Connections == 1, () => $"connections stay: {broker.Statistics}");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(20_000)] // More than is read ahead.
    public async Task A_connection_ends_whose_client_has_gone_while_what_it_sent_waited_and_what_was_lost_by_that_is_counted(int messages)
    {
        await using var broker = await StartAsync();
        var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await using var filler = await FillAsync(broker);
        var flood = Enumerable.Repeat(Bytes.Of("30 { 'held' \"" + new string('x', 100) + "\" }"), messages).SelectMany(bytes => bytes).ToArray();
        await Task.WhenAny(client.SendAsync(flood).AsTask(), Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken));
        await client.DisposeAsync();
        await _time.PassUntilAsync(() => broker.Statistics.Connections <= 1, () => $"connections stay: {broker.Statistics}"); // The other one may have waited too long as well.
        await Until.TrueAsync(HasSaidIt, () => $"nobody said that messages were lost: {string.Join(", ", _refusals)}");
        Assert.Equal(broker.Statistics.MessagesNotTakenIn, _refusals.Where(refusal => refusal.Drop == DropKind.NotTakenIn).Sum(refusal => refusal.Count));

        bool HasSaidIt() => _refusals.Any(refusal => refusal is { Kind: RefusalKind.Drop, Drop: DropKind.NotTakenIn, ClientId: "c" });
    }

    [Fact]
    public async Task What_waited_on_a_connection_that_was_taken_over_comes_once_and_in_order_from_the_next_one()
    {
        await using var broker = await StartAsync();
        await using var first = await RawClient.ConnectAsync(broker.EndPoints[0], "c", clean: false);
        await using var filler = await FillAsync(broker);
        var before = broker.Statistics.MessagesReceived;
        await first.SendAsync("32 { 'held' 00 01 \"a\" } | 34 { 'held' 00 02 \"b\" } | 34 { 'held' 00 03 \"c\" } | 62 02 00 03 | 30 { 'held' \"d\" }");
        await Until.TrueAsync(() => broker.Statistics.MessagesReceived >= before + 4, () => $"{broker.Statistics}");
        await using var second = await RawClient.OpenAsync(broker.EndPoints[0]);
        await second.SendAsync(Connect);
        await second.ExpectAsync("20 02 01 00");
        await first.ExpectEndAsync();
        Assert.Equal(1, broker.Statistics.MessagesNotTakenIn); // At QoS 0.
        await second.SendAsync("3A { 'held' 00 01 \"a\" } | 3C { 'held' 00 02 \"b\" } | 34 { 'held' 00 03 \"e\" }");
        var taken = (await TakeAsync(broker, last: "e")).Where(incoming => incoming.Payload is not null).ToList();
        Assert.Equal(["a", "b", "e"], taken.Select(incoming => incoming.Payload));
        Assert.All(taken, incoming => Assert.Equal(IncomingKind.Message, incoming.Kind));
        await second.ExpectAsync("40 02 00 01 | 50 02 00 02 | 50 02 00 03");
    }

    [Fact]
    public async Task The_will_of_a_client_that_has_gone_comes_before_what_its_next_connection_sends()
    {
        await using var broker = await StartAsync();
        var first = await RawClient.OpenAsync(broker.EndPoints[0]);
        await first.SendAsync("10 { 'MQTT' 04 | 04 | 00 00 | 'c' | 'held' | 'gone' }");
        await first.ExpectAsync("20 02 00 00");
        await using var filler = await FillAsync(broker);
        await first.SendAsync("32 { 'held' 00 01 \"a\" }");
        await first.DisposeAsync();
        await _time.PassUntilAsync(() => broker.Statistics.Connections == 1, () => $"connections stay: {broker.Statistics}");
        await using var second = await RawClient.OpenAsync(broker.EndPoints[0]);
        await second.SendAsync(Connect + " | 3A { 'held' 00 01 \"a\" } | 32 { 'held' 00 02 \"here\" }");
        var taken = await TakeAsync(broker, last: "here");
        Assert.Equal(["gone", "a", "here"], taken.Where(incoming => incoming.Payload is not null).Select(incoming => incoming.Payload));
        Assert.All(taken, incoming => Assert.NotEqual(IncomingKind.Redelivery, incoming.Kind));
        await second.ExpectAsync("20 02 01 00 | 40 02 00 01 | 40 02 00 02");
    }

    [Fact]
    public async Task Identifiers_of_an_old_session_are_forgotten_before_the_new_one_is_opened_however_often_that_is_tried()
    {
        await using var broker = await StartAsync(receivedIds: new() { ["c"] = [5] });
        await using var filler = await FillAsync(broker);
        await using (var refused = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await refused.SendAsync("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }");
            await AnsweredAsync(refused, "20 02 00 03");
        }
        await using (var refused = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await refused.SendAsync("10 { 'MQTT' 05 | 00 | 00 00 | {} | 'c' }");
            await AnsweredAsync(refused, "20 03 00 88 00");
        }
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(Connect + " | 34 { 'held' 00 05 \"new\" }");
        var taken = await TakeAsync(broker, last: "new");
        Assert.Equal([IdChangeKind.AllForgotten, IdChangeKind.Received], taken.Select(incoming => incoming.IdChange.Kind).Distinct());
        Assert.Equal(IncomingKind.Message, taken[^1].Kind);
    }

    [Fact]
    public async Task A_client_whose_session_cannot_be_stored_is_told_so_and_leaves_no_will()
    {
        var store = new ManualStore();
        await using var broker = await TestBroker.StartAsync(options => options with { Store = store, Time = _time });
        await using var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "w");
        await watcher.SendAsync("82 { 00 01 | '#' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        foreach (var (connect, answer) in new[] { ("10 { 'MQTT' 04 | 04 | 00 00 | 'c' | 'will' | 'gone' }", "20 02 00 03"), ("10 { 'MQTT' 05 | 04 | 00 00 | { 11 00 00 0E 10 } | 'c' | {} 'will' | 'gone' }", "20 03 00 88 00") })
        {
            await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
            await client.SendAsync(connect);
            await AnsweredAsync(client, answer);
        }
        store.EndAll();
        await watcher.ExpectNothingAsync();
        await using var back = await RawClient.OpenAsync(broker.EndPoints[0]);
        await back.SendAsync(Connect);
        await back.ExpectAsync("20 02 01 00"); // Nobody had a reason to forget it.
        await watcher.ExpectNothingAsync();
    }

    private Task<MqttBroker> StartAsync(Dictionary<string, IReadOnlyCollection<ushort>>? receivedIds = null) => TestBroker.StartAsync(options => options with
    {
        Holds = topic => topic == "held",
        Limits = new BrokerLimits { ReceiveMaximum = ushort.MaxValue }, // One client can fill the queue.
        ReceivedIds = receivedIds ?? [],
        Time = _time,
        Refused = _refusals.Enqueue,
    });

    // Its own client stays.
    private static async Task<RawClient> FillAsync(MqttBroker broker)
    {
        var filler = await RawClient.ConnectAsync(broker.EndPoints[0], "filler");
        await filler.SendAsync(Enumerable.Repeat(Bytes.Of("30 { 'held' \"-\" }"), 2 * Full).SelectMany(bytes => bytes).ToArray());
        await Until.TrueAsync(() => broker.Incoming.Count == Full, () => $"{broker.Incoming.Count} wait");
        return filler;
    }

    private async Task EndsAsync(RawClient client)
    {
        var end = client.ReadToEndAsync();
        await _time.PassUntilAsync(() => end.IsCompleted, () => "a client is neither answered nor closed");
        await end;
    }

    private async Task AnsweredAsync(RawClient client, string answer)
    {
        var answered = client.ExpectAsync(answer);
        await _time.PassUntilAsync(() => answered.IsCompleted, () => "a client is not answered");
        await answered;
        await EndsAsync(client);
    }

    // The host goes on, until it has a message with this payload.
    private static async Task<List<Taken>> TakeAsync(MqttBroker broker, string last)
    {
        List<Taken> taken = [];
        while (taken.LastOrDefault()?.Payload != last)
        {
            var incoming = await broker.Incoming.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
            if (incoming.ClientId == "c")
                taken.Add(new Taken(incoming.Kind, incoming.IdChange, incoming.Message is { } message ? Encoding.UTF8.GetString(message.Payload.Span) : null));
            broker.Complete([incoming]);
        }
        return taken;
    }

    private sealed record Taken(IncomingKind Kind, IdChange IdChange, string? Payload);
}
