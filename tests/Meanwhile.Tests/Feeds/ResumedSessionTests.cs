using Meanwhile.Feeds;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Feeds;

/// <summary>Whether the broker's session is subscribed to what it should be, whatever became of the process that subscribed.</summary>
public sealed class ResumedSessionTests : RawFeedTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_refused_subscription_the_next_process_asks_again_for_the_old_one_which_was_ended_meanwhile(bool is5)
    {
        Start(filter: "NEW", stored: "DATA");
        using var broker = await AcceptAsync(is5 ? "010000" : "0100");
        Assert.StartsWith("82", await broker.ReceiveAsync(), StringComparison.Ordinal);
        Assert.StartsWith("A2", await broker.ReceiveAsync(), StringComparison.Ordinal);
        await broker.SendAsync(is5 ? "9004 0001 00 87" : "9003 0001 80");
        var stored = (await TakeAsync(1))[0].Subscription;
        Assert.NotNull(stored);
        Assert.False(await Feed.Deliveries.WaitToReadAsync(TestContext.Current.CancellationToken));
        await Feed.DisposeAsync();

        Start(stored: stored);
        using var next = await AcceptAsync(is5 ? "010000" : "0100");
        Assert.StartsWith("82", await next.ReceiveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_process_asks_again_for_what_the_session_should_be_subscribed_to_because_the_last_one_may_not_have_stored_that_it_is_new()
    {
        Start(stored: "DATA");
        using (var first = await AcceptAsync("010000"))
        {
            Assert.StartsWith("82", await first.ReceiveAsync(), StringComparison.Ordinal);
            await first.SendAsync("9004 0001 00 02");
            await Log.SaysAsync("subscribed to DATA");
        }
        using var second = await AcceptAsync("010000"); // Of the same process, which knows.
        await second.SendAsync(RawPackets.Publish(7, qos: 1));
        Assert.Equal(1, await CommitAsync(1));
        Assert.Equal("40020007", await second.ReceiveAsync());
    }

    [Fact]
    public async Task Before_5_0_a_new_process_does_not_ask_again_because_what_is_retained_would_come_again()
    {
        Start(stored: "DATA");
        using var broker = await AcceptAsync("0100");
        await Log.SaysAsync("subscribed to DATA");
        await broker.SendAsync(RawPackets.Publish(7, qos: 1, is5: false));
        Assert.Equal(1, await CommitAsync(1));
        Assert.Equal("40020007", await broker.ReceiveAsync());
    }

    [Fact]
    public async Task What_comes_without_a_mark_in_3_1_1_is_no_copy_though_the_subscription_was_marked_in_5_0()
    {
        Start(stored: "OLD");
        using (var first = await AcceptAsync("010000"))
        {
            Assert.StartsWith("82", await first.ReceiveAsync(), StringComparison.Ordinal);
            Assert.StartsWith("A2", await first.ReceiveAsync(), StringComparison.Ordinal);
            await first.SendAsync("9004 0001 00 02");
            await first.SendAsync("B004 0002 00 00");
            await CommitAsync(1);
            await first.SendAsync(Marked());
            Assert.Equal(DeliveryKind.Message, (await TakeAsync(1))[0].Kind);
        }
        using var second = await AcceptAsync("0100");
        await second.SendAsync(RawPackets.Publish(8, qos: 1, is5: false));
        Assert.Equal(DeliveryKind.Message, (await TakeAsync(1))[0].Kind);

        static byte[] Marked()
        {
            var rest = new SubscriptionMark("DATA").Identifier;
            List<byte> identifier = [0x0B];
            for (; rest > 0; rest >>= 7)
                identifier.Add((byte)((rest & 0x7F) | (rest > 0x7F ? 0x80u : 0)));
            var packet = RawPackets.Publish(7, qos: 1);
            return [packet[0], (byte)(packet[1] + identifier.Count), .. packet[2..^2], (byte)identifier.Count, .. identifier, packet[^1]];
        }
    }
}
