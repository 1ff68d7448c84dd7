using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Feeds;

/// <summary>Brokers that know MQTT 3.1.1 only, and brokers that only look so for a moment.</summary>
public sealed class ProtocolVersionTests : RawFeedTest
{
    private const string Refused = "20020001";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_broker_that_closes_a_few_connections_is_spoken_to_in_5_0_for_all_that(int closes)
    {
        Start();
        for (; closes > 0; closes--)
            (await AcceptAsync(isLevel5: true)).Dispose();
        using var broker = await AcceptAsync(isLevel5: true);
        await broker.SendAsync("2003000000");
        await Log.SaysAsync("(MQTT 5.0)");
        Assert.DoesNotContain(Log.Lines, line => line.Contains("3.1.1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_broker_that_closes_every_connection_is_no_old_one()
    {
        Start();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 3; i++)
                (await AcceptAsync(isLevel5: true)).Dispose();
            (await AcceptAsync(isLevel5: false)).Dispose();
        }
        Assert.DoesNotContain(Log.Lines, line => line.Contains("3.1.1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Refused)]
    [InlineData("")]
    public async Task After_a_lost_connection_5_0_is_tried_again_once_and_an_old_broker_is_known_at_once(string refusal)
    {
        Start();
        for (var connection = 0; connection < 3; connection++)
        {
            for (var i = 0; i < (refusal.Length > 0 || connection > 0 ? 1 : 3); i++)
            {
                using var refused = await AcceptAsync(isLevel5: true);
                await refused.SendAsync(refusal);
            }
            using var broker = await AcceptAsync(isLevel5: false);
            await broker.SendAsync("20020000");
            await CommitAsync(1);
            Assert.StartsWith("82", await broker.ReceiveAsync(), StringComparison.Ordinal);
        }
        Assert.Single(Log.Lines, line => line == "the broker knows MQTT 3.1.1 only");
        Assert.DoesNotContain(Log.Lines, line => line.Contains("does not speak this version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_broker_that_was_upgraded_is_spoken_to_in_5_0()
    {
        Start();
        using (var refused = await AcceptAsync(isLevel5: true))
            await refused.SendAsync(Refused);
        using (var old = await AcceptAsync(isLevel5: false))
        {
            await old.SendAsync("20020000");
            await CommitAsync(1);
            await old.ReceiveAsync();
        }
        using var upgraded = await AcceptAsync(isLevel5: true);
        await upgraded.SendAsync("2003000000");
        await Log.SaysAsync("(MQTT 5.0)");
    }

    private async Task<RawConnection> AcceptAsync(bool isLevel5)
    {
        var connection = await AcceptRawAsync();
        Assert.Contains($"00044D5154540{(isLevel5 ? 5 : 4)}", await connection.ReceiveAsync(), StringComparison.Ordinal);
        return connection;
    }
}
