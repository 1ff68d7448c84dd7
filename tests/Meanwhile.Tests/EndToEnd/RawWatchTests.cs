using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The table's packets, byte by byte.</summary>
public sealed class RawWatchTests : ProgramTest
{
    private const string Connect5 = "00044D51545405"; // "MQTT", level 5.
    private const string Connect4 = "00044D51545404";
    private readonly RawBroker _broker = new();

    [Fact]
    public async Task The_session_is_new_at_first_kept_for_minutes_while_it_runs_and_ended_at_the_end()
    {
        var watch = Meanwhile(["watch"], ("BROKER", _broker.Address));
        using (var first = await _broker.AcceptAsync())
        {
            Assert.Contains(Connect5 + "02001E" + "0A" + "110000012C", await first.ReceiveAsync(), StringComparison.Ordinal); // Clean start, 300 s.
            await first.SendAsync("2003000000");
            Assert.StartsWith("820B" + "0001" + "00" + "0005" + "5354415453", await first.ReceiveAsync(), StringComparison.Ordinal);
            await first.SendAsync("900400010002");
            await watch.SaysAsync("subscribed to STATS");
            await first.SendAsync(RawPackets.Publish(1, 1, dup: false, is5: true, "STATS/a", "{\"a\": 1}"u8.ToArray()));
            Assert.StartsWith("A2", await first.ReceiveAsync(), StringComparison.Ordinal);
            Assert.Equal("40020001", await first.ReceiveAsync());
        }
        await watch.SaysAsync("ignored: it matches no filter in force (topic STATS/a)");
        using var second = await _broker.AcceptAsync();
        Assert.Contains(Connect5 + "00001E" + "0A" + "110000012C", await second.ReceiveAsync(), StringComparison.Ordinal);
        await second.SendAsync("2003010000");
        Assert.StartsWith("A2", await second.ReceiveAsync(), StringComparison.Ordinal); // Other filters that may have let STATS/a through.
        await second.SendAsync(RawPackets.Publish(2, 2, dup: true, is5: true, "STATS", "{\"a\": 2}"u8.ToArray()));
        Assert.Equal("50020002", await second.ReceiveAsync());
        await second.SendAsync(RawPackets.Publish(2, 2, dup: true, is5: true, "STATS", "{\"a\": 2}"u8.ToArray())); // Again, and shown once.
        Assert.Equal("50020002", await second.ReceiveAsync());
        var ending = watch.TerminateAsync();
        Assert.Equal("E007" + "00" + "05" + "1100000000", await second.ReceiveAsync());
        Assert.Equal(0, await ending);
        Assert.Equal("  a\n---\n  2\n", watch.Output);
    }

    [Fact]
    public async Task A_session_of_3_1_1_would_last_for_ever_so_there_is_none()
    {
        var watch = Meanwhile(["watch"], ("BROKER", _broker.Address));
        for (var i = 0; i < 2; i++)
        {
            using (var refused = await _broker.AcceptAsync())
            {
                Assert.Contains(Connect5, await refused.ReceiveAsync(), StringComparison.Ordinal);
                await refused.SendAsync("20020001");
            }
            using var broker = await _broker.AcceptAsync();
            Assert.Contains(Connect4 + "02001E", await broker.ReceiveAsync(), StringComparison.Ordinal);
            await broker.SendAsync("20020000");
            Assert.Equal("820A0001000553544154530" + "2", await broker.ReceiveAsync());
            await broker.SendAsync("9003000102");
            await watch.SaysAsync("subscribed to STATS");
        }
        await watch.SaysAsync("MQTT 3.1.1 keeps nothing for a viewer");
    }

    [Fact]
    public async Task A_refused_subscription_ends_it_and_names_the_setting()
    {
        var watch = Meanwhile(["watch"], ("BROKER", _broker.Address));
        using var broker = await _broker.AcceptAsync();
        await broker.ReceiveAsync();
        await broker.SendAsync("2003000000");
        await broker.ReceiveAsync();
        await broker.SendAsync("900400010087");
        Assert.Equal(1, await watch.ExitAsync());
        Assert.Contains("refuses the subscription to 'STATS' (NotAuthorized): check STATS_TOPIC", watch.Error, StringComparison.Ordinal);
    }
}
