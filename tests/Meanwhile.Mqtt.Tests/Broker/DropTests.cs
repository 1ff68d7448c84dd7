using System.Collections.Concurrent;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Messages that do not arrive are counted by what became of them, and the host hears of it.</summary>
public class DropTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ConcurrentQueue<Refusal> _refusals = [];
    private bool _mayRead = true;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Messages_that_expire_before_their_subscriber_is_back(int qos)
    {
        await using var broker = await StartAsync();
        await WithoutSubscriberAsync(broker, qos == 1 ? "32" : "34", qos, "02 00 00 00 05", count: 3);
        _time.Advance(TimeSpan.FromSeconds(6));
        await using var back = await RawClient.Connect5Async(broker.EndPoints[0], "s", "11 00 00 00 3C", clean: false, expectSession: true);
        await back.ExpectNothingAsync();
        await SaidAsync(DropKind.Expired, 3, () => broker.Statistics.MessagesExpired);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Clause("MQTT-3.1.2-25")]
    public async Task A_message_that_is_larger_than_its_subscriber_takes(int qos)
    {
        await using var broker = await StartAsync();
        await using var subscriber = await RawClient.Connect5Async(broker.EndPoints[0], "s", "27 00 00 00 14");
        await subscriber.SendAsync($"82 {{ 00 01 {{}} | 'a' 0{qos} }}");
        await subscriber.ExpectAsync($"90 {{ 00 01 {{}} 0{qos} }}");
        broker.Publish(new Message { Topic = "a", Payload = new byte[100], Qos = qos });
        await SaidAsync(DropKind.TooLarge, 1, () => broker.Statistics.MessagesTooLarge);
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_message_that_waited_for_a_subscriber_which_may_not_read_it_any_more()
    {
        await using var broker = await StartAsync();
        await WithoutSubscriberAsync(broker, "32", 1, "", count: 2);
        _mayRead = false;
        await using var back = await RawClient.Connect5Async(broker.EndPoints[0], "s", "11 00 00 00 3C", clean: false, expectSession: true);
        await back.ExpectNothingAsync();
        await SaidAsync(DropKind.Unreadable, 2, () => broker.Statistics.MessagesUnreadable);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_that_wait_when_a_session_ends(bool byItsClient)
    {
        await using var broker = await StartAsync();
        await WithoutSubscriberAsync(broker, "32", 1, "", count: 4);
        if (byItsClient)
            await (await RawClient.Connect5Async(broker.EndPoints[0], "s")).DisposeAsync(); // With Clean Start.
        else
            await _time.PassUntilAsync(() => broker.Statistics.MessagesDiscarded > 0, () => "the session does not end");
        await SaidAsync(DropKind.Discarded, 4, () => broker.Statistics.MessagesDiscarded);
    }

    [Fact]
    public async Task Messages_at_qos_0_that_wait_when_a_connection_ends()
    {
        await using var broker = await StartAsync();
        var subscriber = await RawClient.Connect5Async(broker.EndPoints[0], "s", "11 00 00 00 3C");
        await subscriber.SendAsync("82 { 00 01 {} | 'a' 00 }");
        await subscriber.ExpectAsync("90 { 00 01 {} 00 }");
        var payload = new byte[100_000];
        for (var i = 0; i < 600; i++) // More than the network takes without a reader.
            broker.Publish(new Message { Topic = "a", Payload = payload });
        Assert.Equal(0, broker.Statistics.MessagesDropped);
        await subscriber.DisposeAsync();
        await Until.TrueAsync(() => broker.Statistics.MessagesUnsent > 0, () => $"{broker.Statistics}");
        await SaidAsync(DropKind.Unsent, (int)broker.Statistics.MessagesUnsent, () => broker.Statistics.MessagesUnsent);
    }

    private Task<MqttBroker> StartAsync() => TestBroker.StartAsync(options => options with
    {
        Time = _time,
        Refused = _refusals.Enqueue,
        Authenticate = (_, _) => ValueTask.FromResult(LoginAnswer.Accept(new Permissions(_ => true, _ => true) { MayRead = _ => _mayRead })),
    });

    // Some messages come for 's', which is away.
    private static async Task WithoutSubscriberAsync(MqttBroker broker, string header, int qos, string properties, int count)
    {
        await using (var subscriber = await RawClient.Connect5Async(broker.EndPoints[0], "s", "11 00 00 00 3C"))
        {
            await subscriber.SendAsync($"82 {{ 00 01 {{}} | 'a' 0{qos} }} | E0 00");
            await subscriber.ExpectAsync($"90 {{ 00 01 {{}} 0{qos} }}");
            await subscriber.ExpectEndAsync();
        }
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        for (var id = 1; id <= count; id++)
        {
            await publisher.SendAsync($"{header} {{ 'a' 00 0{id} {{ {properties} }} \"x\" }}");
            await publisher.ExpectAsync($"{(qos == 1 ? "40" : "50")} 02 00 0{id}");
        }
    }

    private async Task SaidAsync(DropKind kind, int count, Func<long> counted)
    {
        await Until.TrueAsync(() => counted() == count, () => $"{counted()} are counted, not {count}");
        var said = _refusals.Where(refusal => refusal.Kind == RefusalKind.Drop).ToList();
        Assert.All(said, refusal => Assert.Equal((kind, "s"), (refusal.Drop, refusal.ClientId)));
        Assert.Equal(count, said.Sum(refusal => refusal.Count));
        Assert.All(said, refusal => Assert.NotEmpty(refusal.Explanation));
    }
}
