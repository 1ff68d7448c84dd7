using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Whoever waits for a commit costs nothing meanwhile.</summary>
public sealed class WaitingTests
{
    private const int Pings = 1000;

    private readonly CountingTime _time = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_client_with_too_much_in_flight_waits_for_the_commit_and_keeps_no_processor_busy(int qos)
    {
        var store = new ManualStore(new SessionOpened("c", 100), new SubscriptionAdded("c", new SubscriptionRequest("a", qos), null));
        await using var broker = await TestBroker.StartAsync(options => options with { Store = store, Time = _time, Limits = new BrokerLimits { ReceiveMaximum = 10 } });
        await using var other = await RawClient.ConnectAsync(broker.EndPoints[0], "other");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        Assert.IsType<SessionLeft>(Assert.Single(await store.BegunAsync())); // This commit goes on.
        await PingAsync(other);
        var before = await PingAsync(other);
        for (var id = 1; id <= 20; id++)
            await publisher.SendAsync($"3{2 * qos} {{ 'a' 00 {id:X2} \"x\" }}");
        await PingAsync(other);
        var meanwhile = await PingAsync(other);
        store.EndAll();
        for (var id = 1; id <= 20; id++)
            await publisher.ExpectAsync($"{3 + qos}0 02 00 {id:X2}");
        Assert.InRange(meanwhile, 0, 2 * before);
    }

    // How often something looked at the clock meanwhile, as each write does.
    private async Task<long> PingAsync(RawClient client)
    {
        var start = _time.Looks;
        for (var i = 0; i < Pings; i++)
        {
            await client.SendAsync("C0 00");
            await client.ExpectAsync("D0 00");
        }
        return _time.Looks - start;
    }

    private sealed class CountingTime : TimeProvider
    {
        private long _looks;

        public long Looks => Interlocked.Read(ref _looks);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _looks);
            return base.GetTimestamp();
        }
    }
}
