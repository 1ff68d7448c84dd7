using System.Buffers.Binary;
using System.Text;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>The few packets of MQTT that bare programs need, as bytes.</summary>
internal static class PreparedPackets
{
    /// <summary>Its first byte; the flags of PUBLISH are below.</summary>
    public const byte Connect = 0x10, ConnAck = 0x20, Publish = 0x30, PubAck = 0x40, PubRec = 0x50, PubRel = 0x62, PubComp = 0x70, Subscribe = 0x82, SubAck = 0x90;

    /// <summary>CONNECT with clean start.</summary>
    /// <param name="version">4 for MQTT 3.1.1, which has no bound of ours on what is in flight; 5 with the largest there is.</param>
    public static byte[] ConnectTo(Target broker, string clientId, byte version)
    {
        byte[] properties = version == 5 ? [3, 0x21, 0xFF, 0xFF] : []; // Receive Maximum.
        var flags = 0x02 | (broker.UserName is null ? 0 : 0x80) | (broker.Password is null ? 0 : 0x40);
        return Packet(
            Connect,
            [
                .. Text("MQTT"), version, (byte)flags, 0, 0, .. properties, .. Text(clientId),
                .. broker.UserName is { } name ? Text(name) : [], .. broker.Password is { } password ? Binary(password) : [],
            ]);
    }

    /// <summary>SUBSCRIBE to one filter.</summary>
    public static byte[] SubscribeTo(string filter, int qos, byte version) =>
        Packet(Subscribe, [0, 1, .. version == 5 ? (byte[])[0] : [], .. Text(filter), (byte)qos]);

    /// <summary>PUBLISH in 3.1.1; with the packet identifier 0, which is to be replaced, above QoS 0.</summary>
    public static byte[] PublishTo(string topic, int qos, bool retain, ReadOnlySpan<byte> payload) =>
        Packet((byte)(Publish | (qos << 1) | (retain ? 1 : 0)), [.. Text(topic), .. qos > 0 ? (byte[])[0, 0] : [], .. payload]);

    /// <summary>The length of the packet at the start of some bytes; 0 while it is not complete.</summary>
    public static int CompleteLength(ReadOnlySpan<byte> bytes, out int headerLength)
    {
        var length = 0;
        for (headerLength = 2; headerLength <= Math.Min(bytes.Length, 5); headerLength++)
        {
            var digit = bytes[headerLength - 1];
            length |= (digit & 0x7F) << (7 * (headerLength - 2));
            if (digit < 0x80)
                return bytes.Length >= headerLength + length ? headerLength + length : 0;
        }
        return 0;
    }

    /// <summary>A text as MQTT has it, with its length before it.</summary>
    public static byte[] Text(string text) => Binary(Encoding.UTF8.GetBytes(text));

    /// <summary>Bytes with their length before them.</summary>
    public static byte[] Binary(byte[] bytes)
    {
        var prefixed = new byte[2 + bytes.Length];
        BinaryPrimitives.WriteUInt16BigEndian(prefixed, (ushort)bytes.Length);
        bytes.CopyTo(prefixed, 2);
        return prefixed;
    }

    /// <summary>A packet.</summary>
    public static byte[] Packet(byte type, byte[] body) => [type, .. Length(body.Length), .. body];

    /// <summary>A length before a packet's body, or before properties: seven bits a byte, the lowest first [MQTT-1.5.5].</summary>
    public static byte[] Length(int length)
    {
        List<byte> digits = [];
        do
        {
            digits.Add((byte)((length & 0x7F) | (length > 0x7F ? 0x80 : 0)));
            length >>= 7;
        }
        while (length > 0);
        return [.. digits];
    }
}
