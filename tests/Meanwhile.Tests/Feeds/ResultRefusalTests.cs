using System.Text;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Feeds;

/// <summary>Results that a broker does not take, whatever it says of it, and those that have to wait.</summary>
public sealed class ResultRefusalTests : RawFeedTest
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public async Task After_a_reconnect_no_more_results_go_again_than_a_smaller_receive_maximum_allows(int receiveMaximum)
    {
        Start();
        using (var first = await AcceptAndSubscribeAsync())
        {
            for (var i = 0; i < 10; i++)
                await Feed.PublishAsync($"STATS/{i}", "1"u8.ToArray());
            for (var i = 0; i < 10; i++)
                Assert.Equal($"STATS/{i}", TopicOf(await first.ReceiveAsync()));
        }
        using var second = await AcceptAsync($"010003 21{receiveMaximum:X4}".Replace(" ", "", StringComparison.Ordinal));
        for (var i = 0; i < 10; i++)
        {
            var packet = await second.ReceiveAsync();
            Assert.Equal($"3A STATS/{i}", $"{packet[..2]} {TopicOf(packet)}"); // DUP, QoS 1, in order.
            if (i < receiveMaximum - 1)
                continue; // The last of them is answered alone, and makes room for one more.
            await second.SendAsync("62020063"); // A release of what is unknown: its answer comes after all that may be sent.
            await CommitAsync(1);
            Assert.StartsWith("70", await second.ReceiveAsync(), StringComparison.Ordinal);
            await second.SendAsync("4002" + IdOf(packet));
        }
    }

    [Fact]
    public async Task A_result_that_is_too_large_for_the_next_connection_is_counted_and_does_not_go_again()
    {
        Start();
        using (var first = await AcceptAndSubscribeAsync())
        {
            await Feed.PublishAsync("STATS/large", new byte[50]);
            await Feed.PublishAsync("STATS/small", new byte[10]);
            await first.ReceiveAsync();
            await first.ReceiveAsync();
        }
        using var second = await AcceptAsync("010005270000002A"); // Maximum Packet Size 42.
        Assert.Equal("STATS/small", TopicOf(await second.ReceiveAsync()));
        await Log.SaysAsync("refuses a result (it takes packets of at most 42 bytes)");
        Assert.Equal(1, Ledger.RefusedResults);
    }

    [Theory]
    [InlineData(false, "")] // All that MQTT 3.1.1 lets a broker do.
    [InlineData(true, "")]
    [InlineData(true, "E00187")] // Not authorized.
    [InlineData(true, "E00195")] // Packet too large.
    public async Task A_result_for_which_the_broker_ends_the_connection_is_given_up_counted_and_said_and_the_others_go_on(bool is5, string farewell)
    {
        Start();
        HashSet<string> taken = [];
        var broker = await AcceptAndSubscribeAsync(is5);
        foreach (var topic in new[] { "a", "bad", "b", "c" })
            await Feed.PublishAsync($"STATS/{topic}", "1"u8.ToArray());
        while (taken.Count < 3)
        {
            var packet = await broker.ReceiveAsync();
            if (TopicOf(packet) == "STATS/bad")
            {
                await broker.SendAsync(farewell);
                broker.Dispose();
                broker = await AcceptAsync(is5 ? "010000" : "0100");
            }
            else
            {
                Assert.True(taken.Add(TopicOf(packet)) || packet.StartsWith("3A", StringComparison.Ordinal));
                await broker.SendAsync("4002" + IdOf(packet));
            }
        }
        await Log.SaysAsync("the broker refuses a result (it ends the connection whenever one is sent to 'STATS/bad')");
        Assert.Equal(1, Ledger.RefusedResults);

        await Feed.PublishAsync("STATS/bad", "2"u8.ToArray());
        await Feed.PublishAsync("STATS/a", "2"u8.ToArray());
        Assert.Equal("STATS/a", TopicOf(await broker.ReceiveAsync()));
        Assert.Equal(2, Ledger.RefusedResults);
        await broker.SendAsync(RawPackets.Publish(1, qos: 1, is5: is5));
        await TakeAsync(1);
        broker.Dispose();
    }

    [Fact]
    public async Task A_broker_that_takes_qos_0_only_gets_its_results_so()
    {
        Start();
        using var broker = await AcceptAndSubscribeAsync(properties: "022400"); // Maximum QoS 0.
        for (var i = 0; i < 100; i++)
        {
            await Feed.PublishAsync("STATS", "1"u8.ToArray());
            Assert.Equal("3009" + "0005" + Convert.ToHexString("STATS"u8) + "00" + "31", await broker.ReceiveAsync());
        }
    }

    private static string TopicOf(string publish) => Encoding.UTF8.GetString(Convert.FromHexString(publish)[4..(4 + LengthOf(publish))]);

    private static string IdOf(string publish) => publish.Substring(2 * (4 + LengthOf(publish)), 4);

    private static int LengthOf(string publish) => Convert.ToInt32(publish[4..8], 16);
}
