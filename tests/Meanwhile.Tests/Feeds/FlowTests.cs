using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Feeds;

/// <summary>Signs of life, and what is held back while the store is slow.</summary>
public sealed class FlowTests : RawFeedTest
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123));

    [Fact]
    public async Task Pings_go_out_and_the_connection_lasts_while_the_store_takes_longer_than_the_keep_alive()
    {
        const int Messages = 9000;
        using var broker = await AcceptWithKeepAliveOf2SecondsAsync();
        for (var i = 0; i < Messages; i++)
            await broker.SendAsync(RawPackets.Publish(0, qos: 0));
        await Until.TrueAsync(() => Feed.Deliveries.Count == 8192, () => $"{Feed.Deliveries.Count} are queued");
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(Tick);
            Assert.Equal("C000", await broker.ReceiveAsync());
        }
        await CommitAsync(Messages);
        await broker.SendAsync("D000");
        await broker.SendAsync(RawPackets.Publish(1, qos: 1));
        Assert.Equal(1, await CommitAsync(1));
        Assert.Equal("40020001", await broker.ReceiveAsync());
    }

    [Fact]
    public async Task A_broker_that_answers_no_ping_is_left()
    {
        using var broker = await AcceptWithKeepAliveOf2SecondsAsync();
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(Tick);
            Assert.Equal("C000", await broker.ReceiveAsync());
        }
        _time.Advance(Tick);
        await Log.SaysAsync("it has gone silent");
        Assert.Equal("", await broker.ReceiveAsync());
    }

    [Fact]
    public async Task A_broker_that_answers_pings_but_no_subscription_is_left()
    {
        Start(_time);
        using var broker = await AcceptAsync("000003130002"); // Server Keep Alive: 2 s.
        await CommitAsync(1);
        Assert.StartsWith("82", await broker.ReceiveAsync(), StringComparison.Ordinal);
        for (var i = 0; i < 2; i++)
        {
            _time.Advance(Tick);
            Assert.Equal("C000", await broker.ReceiveAsync());
            await broker.SendAsync("D000");
        }
        await Log.SaysAsync("does not answer the subscription");
    }

    [Fact]
    public async Task A_message_bears_the_time_of_its_arrival()
    {
        using var broker = await AcceptWithKeepAliveOf2SecondsAsync();
        await broker.SendAsync(RawPackets.Publish(0, qos: 0));
        Assert.Equal(1_700_000_000_123, (await TakeAsync(1))[0].Arrived);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_held_is_bounded_in_bytes_and_one_message_beyond_the_bound_passes(bool is5)
    {
        Start();
        using var broker = await AcceptAndSubscribeAsync(is5);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
                await broker.SendAsync(RawPackets.Publish(0, qos: 0, is5: is5, payloadLength: 1 << 20));
            await broker.SendAsync(RawPackets.Publish(1, qos: 1, is5: is5, payloadLength: 80 << 20));
        }, TestContext.Current.CancellationToken);
        var held = await TakeAsync(63);
        var next = Feed.Deliveries.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(next.IsCompleted); // 63 MiB and their topics are out; another one would be more than 64 MiB.
        Feed.Acknowledge(held);
        Feed.Acknowledge([await next]);
        for (var i = 0; i < 36; i++)
            await CommitAsync(1);
        var large = await TakeAsync(1);
        Assert.Equal(80 << 20, large[0].Payload.Length);
        Assert.Equal(1, Feed.Acknowledge(large));
        await sending;
        var answer = await broker.ReceiveAsync();
        for (; answer == "C000"; answer = await broker.ReceiveAsync()) // Where the machine is slow, a ping is due before so much has come.
            await broker.SendAsync("D000");
        Assert.Equal("40020001", answer);
    }

    private async Task<RawConnection> AcceptWithKeepAliveOf2SecondsAsync()
    {
        Start(_time);
        var broker = await AcceptAsync("000003130002"); // Server Keep Alive: 2 s.
        await CommitAsync(1);
        Assert.StartsWith("82", await broker.ReceiveAsync(), StringComparison.Ordinal);
        await broker.SendAsync("9004 0001 00 02");
        await CommitAsync(1);
        return broker;
    }
}
