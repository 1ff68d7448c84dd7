using System.Buffers.Binary;
using Meanwhile.Bench;

namespace Meanwhile.Path.Bench;

/// <summary>Subscribes at QoS 1, acknowledges what comes, collected into one write for each read, and does nothing else with it.</summary>
internal static class BareAcknowledger
{
    /// <summary>Runs until so many messages have come; says "ready" when it is subscribed, "warm" after some of them, and "done".</summary>
    public static async Task RunAsync(int port, int first, int messages)
    {
        await using var stream = await RawPackets.ConnectAsync(port);
        var reader = new PacketReader(stream);
        await stream.WriteAsync(RawPackets.Connect("bare", 5));
        await stream.WriteAsync(RawPackets.Subscribe5("DATA"));
        var answers = new byte[1 << 18];
        var (received, length) = (0, 0);
        while (received < messages && await reader.ReadAsync(Handle))
        {
            await stream.WriteAsync(answers.AsMemory(0, length));
            length = 0;
            if (received == first)
                Console.WriteLine("warm");
        }
        Console.WriteLine("done");
        await Console.In.ReadLineAsync(); // The one who measures looks at us first.

        void Handle(ReadOnlySpan<byte> packet, int headerLength)
        {
            if (packet[0] == 0x90)
                Console.WriteLine("ready");
            if ((packet[0] & 0xF6) != 0x32)
                return;
            var topicLength = BinaryPrimitives.ReadUInt16BigEndian(packet[headerLength..]);
            (answers[length], answers[length + 1]) = (0x40, 2);
            packet.Slice(headerLength + 2 + topicLength, 2).CopyTo(answers.AsSpan(length + 2));
            length += 4;
            received++;
        }
    }
}
