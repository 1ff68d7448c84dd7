using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>A message may come twice at a bridge only if mosquitto's log proves that mosquitto sent it again after PUBREL.</summary>
public sealed class BridgeLogTests
{
    [Theory]
    [InlineData("P1 R1 L1 C1 P2 R2 L2 C2", "1 2", "1 2")]
    [InlineData("P1 R1 L1 P2 R2 L2 P1 P2", "1 2 1 2", "1 2")] // Both were sent again after PUBREL.
    [InlineData("P1 R1 L1 P2 R2 L2 P1 P2", "1 2 2", "1 2")] // The PUBREL of 1 got lost: it was no new message for us.
    [InlineData("P1 R1 L1 P1 R1 L1 P1", "1 1 1", "1")]
    [InlineData("P1 R1 L1 C1", "1 1", "1 1")] // It was sent once.
    [InlineData("P1 P1 R1 L1", "1 1", "1 1")] // It was sent again before PUBREC: that is no new message.
    [InlineData("P1 R1 P1 R1 L1", "1 1", "1 1")] // It was sent again before PUBREL.
    [InlineData("P1 L1 P1", "1 1", "1 1")] // A PUBREL without PUBREC.
    [InlineData("P1 R1 L1 L1 C1", "1 1", "1 1")] // PUBREL was sent again.
    [InlineData("P1 P2 R1 R2 L2 P1", "1 2 1", "1 2 1")] // PUBREL of another message.
    [InlineData("P1 R1 L1 P1 P1", "1 1 1", "1 1")] // It was sent again after PUBREL, and once more before PUBREC.
    [InlineData("P1 R1 L1 P2 R2 L2 P1 P2", "1 2 2 1", "1 2 1")] // They were not sent in this order.
    [InlineData("P1 R1 L1 P1 P2", "1 2 1", "1 2 1")] // It was sent again before message 2, and not after it.
    [InlineData("P2 P1 R1 L1 P1", "2 1 1", "2 1")] // Message 2 was sent before message 1.
    [InlineData("P1 R1 L1 P1", "1 2 1", "1 2")] // A message that mosquitto did not send stays in the list.
    [InlineData("P1 R1 L1 P1", "1 2 2", "1 2 2")]
    public void Only_what_mosquitto_sent_again_after_PUBREL_may_come_twice(string log, string arrived, string kept)
    {
        var bridge = new BridgeLog(string.Join('\n', log.Split(' ').Select(Line)));
        Assert.Equal(Numbers(kept), bridge.WithoutSentAgain(Numbers(arrived)));
    }

    [Theory]
    [InlineData("P1 R1 P2 L1 P1 P3", "1 2 3")]
    [InlineData("P1 P3 P2 P3", "1 3 2")]
    public void The_order_is_that_of_the_first_PUBLISH(string log, string sent) =>
        Assert.Equal(Numbers(sent), new BridgeLog(string.Join('\n', log.Split(' ').Select(Line))).Sent);

    [Fact]
    public void Nothing_may_come_twice_if_the_length_of_a_payload_does_not_agree()
    {
        var bridge = new BridgeLog($"{Line("P1")}\n{Line("R1")}\n{Line("L1")}\n{Line("P1")}".Replace("1 bytes", "2 bytes", StringComparison.Ordinal));
        Assert.Equal([1, 1], bridge.WithoutSentAgain([1, 1]));
    }

    // As mosquitto 2.0.11 writes them; identifier 7 is message 1.
    private static string Line(string packet)
    {
        var id = packet[1] - '1' + 7;
        return packet[0] switch
        {
            'P' => $"1764428832: Sending PUBLISH to local.vm.bridge (d0, q2, r0, m{id}, 'DATA', ... (1 bytes))",
            'R' => $"1764428832: Received PUBREC from local.vm.bridge (Mid: {id})",
            'L' => $"1764428832: Sending PUBREL to local.vm.bridge (m{id})",
            _ => $"1764428832: Received PUBCOMP from local.vm.bridge (Mid: {id}, RC:0)",
        };
    }

    private static List<int> Numbers(string text) => [.. text.Split(' ').Select(int.Parse)];
}
