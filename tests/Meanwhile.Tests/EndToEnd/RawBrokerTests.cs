using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The aggregator against brokers that old, strange or hostile bytes make up.</summary>
public sealed class RawBrokerTests : ProgramTest
{
    private const string Connect5 = "00044D51545405"; // "MQTT", level 5.
    private const string Connect4 = "00044D51545404"; // "MQTT", level 4: 3.1.1.
    private const string Subscribe4 = "8209 0001 0004 44415441 02"; // DATA at QoS 2.
    private readonly RawBroker _broker = new(); // Gone with the process: a listener on loopback.

    [Theory]
    [InlineData("20020001", 1)] // CONNACK as 3.1.1 has it: unacceptable protocol version.
    [InlineData("20020005", 1)] // Not authorized, in the same form.
    [InlineData("20020000", 1)]
    [InlineData("2003008400", 1)] // CONNACK as 5.0 has it.
    [InlineData("", 3)] // Closes the connection, which one that is restarted does as well.
    public async Task A_broker_that_knows_3_1_1_only_is_spoken_to_in_3_1_1(string refusal, int times)
    {
        var aggregate = Aggregate();
        for (; times > 0; times--)
        {
            using var first = await _broker.AcceptAsync();
            Assert.Contains(Connect5, await first.ReceiveAsync(), StringComparison.Ordinal);
            await first.SendAsync(refusal);
        }
        using var second = await _broker.AcceptAsync();
        Assert.Contains(Connect4 + "00001E", await second.ReceiveAsync(), StringComparison.Ordinal); // Clean session off, keep alive 30 s.
        await second.SendAsync("20020000");
        Assert.Equal(Hex(Subscribe4), await second.ReceiveAsync());
        await second.SendAsync("9003000102");
        await aggregate.SaysAsync("subscribed to DATA");

        await second.SendAsync("3209 0004 44415441 0007 37"); // QoS 1, identifier 7: "7".
        Assert.Equal("40020007", await second.ReceiveAsync());
        Assert.Equal(["7"], ReadingsFile.Query(Database, "SELECT number FROM messages"));
        var result = await second.ReceiveAsync();
        Assert.StartsWith("32", result, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexString("STATS"u8), result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Qos_2_is_exactly_once_through_redelivery_and_through_a_kill_between_its_steps()
    {
        const string Publish = "340B 0004 44415441 0009 00 3231"; // QoS 2, identifier 9: "21".
        var aggregate = Aggregate();
        var broker = await AcceptAsync(aggregate, sessionPresent: false);
        await broker.SendAsync(Publish);
        Assert.Equal("50020009", await broker.ReceiveAsync()); // PUBREC.
        await broker.SendAsync("3C" + Publish[2..]); // The same with DUP.
        Assert.Equal("50020009", await ReceiveButResultsAsync(broker));
        await aggregate.KillAsync();
        broker.Dispose();

        aggregate = Aggregate();
        broker = await AcceptAsync(aggregate, sessionPresent: true);
        await broker.SendAsync("3C" + Publish[2..]);
        Assert.Equal("50020009", await ReceiveButResultsAsync(broker));
        Assert.Equal(["21"], ReadingsFile.Query(Database, "SELECT number FROM messages"));
        await broker.SendAsync("62020009"); // PUBREL.
        Assert.Equal("70020009", await ReceiveButResultsAsync(broker)); // PUBCOMP.
        await broker.SendAsync(Publish); // A new message under the same identifier.
        Assert.Equal("50020009", await ReceiveButResultsAsync(broker));
        Assert.Equal(["21", "21"], ReadingsFile.Query(Database, "SELECT number FROM messages"));
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("received 2 = committed 1 + quarantined 0 + duplicates 1", aggregate.Error, StringComparison.Ordinal);
        broker.Dispose();
    }

    [Fact]
    public async Task A_result_that_the_broker_refuses_is_in_the_ledger_at_the_end()
    {
        var aggregate = Aggregate();
        using var broker = await AcceptAsync(aggregate, sessionPresent: false);
        await broker.SendAsync("3009 0004 44415441 00 3231"); // QoS 0: "21".
        var result = await broker.ReceiveAsync();
        Assert.StartsWith("32", result, StringComparison.Ordinal);
        await broker.SendAsync($"4003 {IdentifierOf(result)} 87"); // Not authorized.
        await aggregate.SaysAsync("the broker refuses a result (NotAuthorized): check STATS_TOPIC");
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Matches(@"ledger: received 1 = committed 1 .*; results refused by the broker 1\n", aggregate.Error);
    }

    [Fact]
    public async Task A_session_that_was_lost_is_subscribed_to_again_even_if_the_connection_ends_before_it_is()
    {
        var aggregate = Aggregate();
        (await AcceptAsync(aggregate, sessionPresent: false)).Dispose();
        using (var lost = await _broker.AcceptAsync())
        {
            await lost.ReceiveAsync();
            await lost.SendAsync("2003000000");
        }
        using var resumed = await _broker.AcceptAsync();
        await resumed.ReceiveAsync();
        await resumed.SendAsync("2003010000");
        Assert.StartsWith("82", await resumed.ReceiveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_sends_rubbish_is_left_and_tried_again()
    {
        var aggregate = Aggregate();
        using (var first = await AcceptAsync(aggregate, sessionPresent: false))
            await first.SendAsync("FFFFFFFFFFFFFFFF");
        await aggregate.SaysAsync("is lost");
        using var second = await _broker.AcceptAsync();
        Assert.NotEqual("", await second.ReceiveAsync());
        Assert.DoesNotContain("   at ", aggregate.Error, StringComparison.Ordinal);
    }

    private static string Hex(string text) => text.Replace(" ", "", StringComparison.Ordinal);

    // Results arrive whenever they are due; their QoS 1 PUBLISH is acknowledged in passing.
    private static async Task<string> ReceiveButResultsAsync(RawConnection broker)
    {
        string packet;
        while ((packet = await broker.ReceiveAsync()).StartsWith('3'))
            await broker.SendAsync("4002" + IdentifierOf(packet));
        return packet;
    }

    // Of a PUBLISH, which has its topic before it.
    private static string IdentifierOf(string publish) => publish.Substring(8 + (Convert.ToInt32(publish[4..8], 16) * 2), 4);

    private RunningProgram Aggregate() =>
        Meanwhile(["aggregate"], ("BROKER", _broker.Address));

    // Takes a 5.0 client in and lets it subscribe.
    private async Task<RawConnection> AcceptAsync(RunningProgram aggregate, bool sessionPresent)
    {
        var connection = await _broker.AcceptAsync();
        Assert.Contains(Connect5, await connection.ReceiveAsync(), StringComparison.Ordinal);
        await connection.SendAsync(sessionPresent ? "2003010000" : "2003000000");
        Assert.StartsWith("82", await connection.ReceiveAsync(), StringComparison.Ordinal);
        await connection.SendAsync("900400010002");
        await aggregate.SaysAsync("subscribed to DATA");
        return connection;
    }
}
