using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The publisher against a broker of raw bytes.</summary>
public sealed class RawPublishTests : ProgramTest
{
    private const string Connect5 = "00044D51545405"; // "MQTT", level 5.
    private readonly RawBroker _broker = new();

    [Fact]
    public async Task After_a_reconnect_no_more_are_in_flight_than_a_smaller_receive_maximum_allows()
    {
        var publish = Publish("--count", "6", "--rate", "1000");
        using (var first = await AcceptAsync("03210014"))
        {
            for (var i = 0; i < 6; i++)
                Assert.StartsWith("32", await first.ReceiveAsync(), StringComparison.Ordinal);
        }
        using var second = await AcceptAsync("03210002");
        var unanswered = new Queue<string>();
        for (var i = 0; i < 6; i++)
        {
            if (unanswered.Count == 2)
            {
                await second.SendAsync("4002" + unanswered.Dequeue());
                if (i % 2 == 0)
                    await second.SendAsync("4002" + unanswered.Dequeue());
            }
            var packet = await second.ReceiveAsync();
            Assert.StartsWith("32", packet, StringComparison.Ordinal);
            unanswered.Enqueue(packet[16..20]); // Behind DATA.
            if (unanswered.Count == 2 && i < 4)
                Assert.True(second.IsSilent);
        }
        while (unanswered.TryDequeue(out var id))
            await second.SendAsync("4002" + id);
        Assert.Equal(0, await publish.ExitAsync());
        Assert.Contains("6 messages published, all acknowledged", publish.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("052700000014", "1", "it takes packets of at most 20 bytes")]
    [InlineData("022401", "2", "it takes QoS 1 at most")]
    [InlineData("022400", "1", "it takes QoS 0 at most")]
    public async Task What_the_broker_has_said_that_it_does_not_take_is_not_sent(string properties, string qos, string said)
    {
        var publish = Publish("--qos", qos);
        using var broker = await AcceptAsync(properties);
        Assert.Equal(1, await publish.ExitAsync());
        Assert.Contains($"meanwhile: the broker refuses messages on 'DATA' ({said})", publish.Error, StringComparison.Ordinal);
        Assert.StartsWith("E0", await broker.ReceiveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_reason_that_a_broker_gives_for_a_refusal_is_said()
    {
        var publish = Publish();
        using var broker = await _broker.AcceptAsync();
        await broker.ReceiveAsync();
        await broker.SendAsync("200B 0088 08 1F 0005" + Convert.ToHexString("a\nb c"u8));
        await publish.SaysAsync("it refuses the connection (ServerUnavailable: a\ufffdb c)");
    }

    [Fact]
    public async Task Where_a_broker_has_moved_to_is_said()
    {
        var publish = Publish();
        using var broker = await _broker.AcceptAsync();
        await broker.ReceiveAsync();
        await broker.SendAsync("2011009D0E 1C 000B" + Convert.ToHexString("there:18830"u8));
        Assert.Equal(1, await publish.ExitAsync());
        Assert.Contains("it refuses the connection (ServerMoved, and names there:18830): expected the address of the broker that it names, or another one", publish.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_closes_once_is_no_old_broker_and_one_that_says_so_is_old_until_the_next_connection()
    {
        Publish("--rate", "10");
        using (var closed = await _broker.AcceptAsync())
            Assert.Contains(Connect5, await closed.ReceiveAsync(), StringComparison.Ordinal);
        using (await AcceptAsync(""))
        {
        }
        for (var i = 0; i < 2; i++)
        {
            using (var refused = await _broker.AcceptAsync())
            {
                Assert.Contains(Connect5, await refused.ReceiveAsync(), StringComparison.Ordinal);
                await refused.SendAsync("2003008400");
            }
            using var old = await _broker.AcceptAsync();
            Assert.Contains("00044D51545404", await old.ReceiveAsync(), StringComparison.Ordinal);
            await old.SendAsync("20020000");
            Assert.StartsWith("32", await old.ReceiveAsync(), StringComparison.Ordinal);
        }
    }

    private RunningProgram Publish(params string[] options) => Meanwhile(["publish", .. options], ("BROKER", _broker.Address));

    private async Task<RawConnection> AcceptAsync(string properties)
    {
        var connection = await _broker.AcceptAsync();
        Assert.Contains(Connect5, await connection.ReceiveAsync(), StringComparison.Ordinal);
        var rest = "0000" + (properties.Length > 0 ? properties : "00");
        await connection.SendAsync($"20{rest.Length / 2:X2}{rest}");
        return connection;
    }
}
