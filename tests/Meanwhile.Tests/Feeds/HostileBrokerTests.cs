using Meanwhile.Feeds;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Feeds;

/// <summary>Brokers that lie, repeat themselves, or break the protocol.</summary>
public sealed class HostileBrokerTests : RawFeedTest
{
    [Theory]
    [InlineData("320A 0004 44415441 0000 00 37", "81", "packet identifier 0")]
    [InlineData("6202 0000", "81", "packet identifier 0")]
    [InlineData("360A 0004 44415441 0007 00 37", "81", "QoS 3")]
    [InlineData("3207 0001 23 0007 00 37", "81", "a wildcard in a topic name")]
    [InlineData("3206 0000 0007 00 37", "82", "neither a topic nor an alias")]
    [InlineData("3208 0002 61FF 0007 00 37", "81", "text that is not UTF-8")]
    [InlineData("2003 00 00 00", "82", "ConnAck")]
    [InlineData("8208 0001 00 0002 4141 00", "82", "Subscribe")]
    [InlineData("30FFFFFFFFFF", "81", "four bytes")]
    [InlineData("3204 0004 4441", "81", "the packet ends inside a field")]
    [InlineData("0000", "81", "packet type 0 is reserved")]
    public async Task What_breaks_the_protocol_is_answered_logged_and_left(string packet, string reason, string said)
    {
        Start();
        using var broker = await AcceptAndSubscribeAsync();
        await broker.SendAsync(packet);

        Assert.Matches($"^E00[12]{reason}", await broker.ReceiveAsync());
        Assert.Equal("", await broker.ReceiveAsync());
        await Log.SaysAsync(said);
        using var next = await AcceptAsync("010000");
        await next.SendAsync(RawPackets.Publish(1, qos: 1));
        Assert.Equal(1, await CommitAsync(1));
        Assert.Equal("40020001", await next.ReceiveAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Acknowledgements_of_an_old_connection_are_void_and_a_redelivery_counts_once(bool is5)
    {
        Start();
        List<Delivery> old;
        using (var first = await AcceptAndSubscribeAsync(is5))
        {
            await first.SendAsync([.. RawPackets.Publish(1, 1, is5: is5), .. RawPackets.Publish(2, 1, is5: is5), .. RawPackets.Publish(3, 2, is5: is5)]);
            old = await TakeAsync(3);
        }
        using var second = await AcceptAsync(is5 ? "010000" : "0100");
        await Until.TrueAsync(() => Log.Lines.Count(line => line.StartsWith("connected to", StringComparison.Ordinal)) == 2, () => string.Join('\n', Log.Lines));
        Assert.Equal(0, Feed.Acknowledge(old));
        await second.SendAsync([.. RawPackets.Publish(1, 1, dup: true, is5), .. RawPackets.Publish(2, 1, dup: false, is5), .. RawPackets.Publish(3, 2, dup: false, is5)]);
        var again = await TakeAsync(3);

        Assert.Equal([DeliveryKind.Redelivery, DeliveryKind.Message, DeliveryKind.Redelivery], again.Select(d => d.Kind)); // Without DUP it is another message.
        Assert.Equal(3, Feed.Acknowledge(again));
        Assert.Equal("40020001", await second.ReceiveAsync());
        Assert.Equal("40020002", await second.ReceiveAsync());
        Assert.Equal("50020003", await second.ReceiveAsync());
    }

    [Fact]
    public async Task What_is_sent_again_before_it_was_answered_is_answered_once_and_in_order()
    {
        Start();
        using var broker = await AcceptAndSubscribeAsync(is5: false);
        await broker.SendAsync([.. RawPackets.Publish(1, 1, is5: false), .. RawPackets.Publish(1, 1, dup: true, is5: false), .. RawPackets.Publish(2, 1, is5: false)]);
        var taken = await TakeAsync(3);

        Assert.Equal([DeliveryKind.Message, DeliveryKind.Redelivery, DeliveryKind.Message], taken.Select(d => d.Kind));
        Assert.Equal(1, Feed.Acknowledge([taken[2]]));
        Assert.Equal(1, Feed.Acknowledge(taken[..2]));
        Assert.Equal("40020001", await broker.ReceiveAsync());
        Assert.Equal("40020002", await broker.ReceiveAsync());
    }

    [Theory]
    [InlineData(true, "7003006392")]
    [InlineData(false, "70020063")]
    public async Task A_release_of_what_is_unknown_is_answered(bool is5, string answer)
    {
        Start();
        using var broker = await AcceptAndSubscribeAsync(is5);
        await broker.SendAsync("6202 0063");
        Assert.Equal(0, await CommitAsync(1));
        Assert.StartsWith(answer[4..], (await broker.ReceiveAsync())[4..], StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_in_flight_than_there_are_identifiers_is_answered_with_receive_maximum_exceeded()
    {
        Start();
        using var broker = await AcceptAndSubscribeAsync();
        var sending = Task.Run(async () =>
        {
            for (var id = 1; id <= 65_536; id++)
                await broker.SendAsync(RawPackets.Publish((ushort)id == 0 ? (ushort)1 : (ushort)id, qos: 2));
        }, TestContext.Current.CancellationToken);
        await CommitAsync(65_472); // The last few that came with it are kept for the next connection.

        var answer = await broker.ReceiveAsync();
        while (answer.StartsWith("50", StringComparison.Ordinal))
            answer = await broker.ReceiveAsync();
        Assert.Matches("^E00[12]93", answer);
        await Log.SaysAsync("more messages in flight than it may");
        await sending;
        using var next = await AcceptAsync("010000");
        Assert.All(await TakeAsync(63), delivery => Assert.Equal(DeliveryKind.Message, delivery.Kind));
    }

    [Fact]
    public async Task A_session_that_we_know_nothing_of_is_said_and_used()
    {
        Start();
        using var broker = await AcceptAsync("010000");
        await broker.SendAsync(RawPackets.Publish(7, qos: 1));
        Assert.StartsWith("82", await broker.ReceiveAsync(), StringComparison.Ordinal);
        await Log.SaysAsync("knows nothing of");
        Assert.Equal(1, await CommitAsync(1));
        Assert.Equal("40020007", await broker.ReceiveAsync());
    }

    [Fact]
    public async Task A_session_that_was_lost_on_resume_is_said_forgotten_and_subscribed_to_again()
    {
        Start();
        using (var first = await AcceptAndSubscribeAsync())
        {
            await first.SendAsync(RawPackets.Publish(3, qos: 2));
            await CommitAsync(1);
        }
        using var second = await AcceptAndSubscribeAsync();
        await Log.SaysAsync("the session was lost");
        await second.SendAsync(RawPackets.Publish(3, qos: 2));
        Assert.Equal(DeliveryKind.Message, (await TakeAsync(1))[0].Kind);
    }

    [Fact]
    public async Task Retained_messages_at_each_connect_are_messages_like_others()
    {
        Start();
        for (var i = 0; i < 2; i++)
        {
            using var broker = await AcceptAndSubscribeAsync();
            var retained = RawPackets.Publish(1, qos: 1);
            retained[0] |= 1;
            await broker.SendAsync(retained);
            Assert.Equal(1, await CommitAsync(1));
            Assert.Equal("40020001", await broker.ReceiveAsync());
        }
    }

    [Fact]
    public async Task A_result_that_the_broker_refuses_is_logged_counted_and_not_sent_again()
    {
        Start();
        using (var broker = await AcceptAndSubscribeAsync())
        {
            await Feed.PublishAsync("STATS", "1"u8.ToArray());
            var result = await broker.ReceiveAsync();
            Assert.StartsWith("320B0005" + "5354415453", result, StringComparison.Ordinal);
            await broker.SendAsync("4003" + result[18..22] + "87"); // Not authorized.
            await Log.SaysAsync("refuses a result (NotAuthorized)");
        }
        using var next = await AcceptAsync("010000");
        await next.SendAsync(RawPackets.Publish(1, qos: 1));
        await CommitAsync(1);
        Assert.Equal("40020001", await next.ReceiveAsync());
        Assert.Equal(1, Ledger.RefusedResults);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(129)]
    [InlineData(200)]
    [InlineData(17_000)]
    public async Task A_result_that_is_larger_than_the_broker_takes_is_logged_counted_and_not_sent(int largest)
    {
        Start();
        using var broker = await AcceptAndSubscribeAsync(properties: $"0527{largest:X8}"); // Maximum Packet Size.
        var lengthSize = largest < 130 ? 1 : largest < 16_387 ? 2 : 3;
        var longest = largest - (1 + lengthSize + 2 + "STATS".Length + 2 + 1);
        await Feed.PublishAsync("STATS", new byte[longest + 1]);
        await Log.SaysAsync($"refuses a result (it takes packets of at most {largest} bytes)");
        await Feed.PublishAsync("STATS", new byte[longest]);
        Assert.Equal(0x32, (await broker.ReceiveExactlyAsync(largest))[0]);
        await broker.SendAsync(RawPackets.Publish(1, qos: 1));
        await CommitAsync(1);
        Assert.Equal("40020001", await broker.ReceiveAsync());
        Assert.Equal(1, Ledger.RefusedResults);
    }
}
