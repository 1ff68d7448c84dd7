using Meanwhile.Tests.Support;
using Meanwhile.Trials.Verification;

namespace Meanwhile.Tests.Trials;

/// <summary>What the account relies on: the publishers' logs, and the count of what was redelivered.</summary>
public sealed class EvidenceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => _folder["sent"];

    [Fact]
    public void A_log_is_gone_on_with_where_its_process_was_killed()
    {
        using (var log = PublisherLog.Open(File))
        {
            log.Acknowledge(log.Send(1_700_000_000_001, 7));
            var second = log.Send(1_700_000_000_002, 8);
            log.Receive(second);
            log.SendAgain(second);
            log.SendAnew(log.Send(1_700_000_000_003, 9), 10);
        }
        System.IO.File.AppendAllText(File, "S 4 11 17000"); // Killed in the middle of a line.
        using (var log = PublisherLog.Open(File))
        {
            Assert.Equal(3, log.Messages.Count);
            Assert.Equal(4, log.Send(1_700_000_000_004, 12).Number);
        }

        Assert.Equal(
            ["1 1700000000001 7 0 0 False True", "2 1700000000002 8 1 0 True False", "3 1700000000003 10 0 1 False False", "4 1700000000004 12 0 0 False False"],
            PublisherLog.Read(File).Select(m => $"{m.Number} {m.Time} {m.PacketId} {m.SentAgain} {m.SentAnew} {m.IsReceived} {m.IsAcknowledged}"));
    }

    [Fact]
    public void Redeliveries_are_counted_wherever_the_stream_is_cut()
    {
        // CONNACK, PUBLISH, PUBLISH with DUP and a body of 200 bytes that looks like one, PUBREL, PUBLISH with DUP, retained, at QoS 2.
        byte[] stream =
        [
            0x20, 2, 0, 0, 0x32, 5, 0, 1, (byte)'t', 0, 1, 0x3A, 0xC8, 1, .. Enumerable.Repeat((byte)0x3A, 200), 0x62, 2, 0, 1,
            0x3D, 5, 0, 1, (byte)'t', 0, 2,
        ];
        for (var first = 0; first <= stream.Length; first++)
        {
            for (var second = first; second <= stream.Length; second += 7)
            {
                var counter = new RedeliveryCounter();
                Assert.Equal(2, counter.Count(stream.AsSpan(0, first)) + counter.Count(stream.AsSpan(first, second - first)) + counter.Count(stream.AsSpan(second)));
            }
        }
    }

    public void Dispose() => _folder.Dispose();
}
