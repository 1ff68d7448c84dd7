using System.Buffers.Binary;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>MQTT 5.0 packets for attacks.</summary>
internal static class Packets
{
    /// <summary>PINGREQ.</summary>
    public static ReadOnlyMemory<byte> Ping { get; } = new byte[] { 0xC0, 0 };

    /// <summary>CONNECT.</summary>
    /// <param name="user">Null for none.</param>
    /// <param name="password">Null for none.</param>
    /// <param name="expiry">For how many seconds the session is kept; with 0 it starts clean.</param>
    /// <param name="will">Published, and retained, when the connection ends without a word.</param>
    public static byte[] Connect(string clientId, string? user, string? password = AttackedServer.Password, uint expiry = 0, (string Topic, string Payload)? will = null)
    {
        var flags = (expiry == 0 ? 0x02 : 0) | (will is null ? 0 : 0x24) | (user is null ? 0 : 0xC0);
        byte[] properties = [0x11, .. Whole(expiry), 0x21, 0xFF, 0xFF]; // Session Expiry Interval, Receive Maximum.
        return PreparedPackets.Packet(
            PreparedPackets.Connect,
            [
                .. PreparedPackets.Text("MQTT"), 5, (byte)flags, 0, 0, (byte)properties.Length, .. properties, .. PreparedPackets.Text(clientId),
                .. will is var (topic, payload) ? [0, .. PreparedPackets.Text(topic), .. PreparedPackets.Text(payload)] : (byte[])[],
                .. user is null ? (byte[])[] : [.. PreparedPackets.Text(user), .. PreparedPackets.Text(password ?? "")],
            ]);
    }

    /// <summary>The beginning of a long CONNECT, full of user properties.</summary>
    public static byte[] ConnectOf(int announced, int sent)
    {
        const int Piece = 0xFF00;
        var properties = announced - 20;
        List<byte> bytes = [PreparedPackets.Connect, .. PreparedPackets.Length(announced), .. PreparedPackets.Text("MQTT"), 5, 2, 0, 0, .. PreparedPackets.Length(properties)];
        while (bytes.Count < sent)
            bytes.AddRange([0x26, .. PreparedPackets.Text("k"), .. PreparedPackets.Binary(new byte[Math.Min(Piece, announced)])]);
        return [.. bytes.Take(sent)];
    }

    /// <summary>PUBLISH.</summary>
    /// <param name="userProperties">The number of user properties.</param>
    public static byte[] Publish(string topic, int qos, int identifier, ReadOnlySpan<byte> payload, bool retain = false, int userProperties = 0)
    {
        byte[] property = [0x26, .. PreparedPackets.Text("k"), .. PreparedPackets.Text("v")];
        return PreparedPackets.Packet(
            (byte)(PreparedPackets.Publish | (qos << 1) | (retain ? 1 : 0)),
            [
                .. PreparedPackets.Text(topic), .. qos > 0 ? Short(identifier) : [], .. PreparedPackets.Length(property.Length * userProperties),
                .. Enumerable.Repeat(property, userProperties).SelectMany(bytes => bytes), .. payload,
            ]);
    }

    /// <summary>SUBSCRIBE.</summary>
    public static byte[] Subscribe(IEnumerable<string> filters, int qos) =>
        PreparedPackets.Packet(PreparedPackets.Subscribe, [0, 1, 0, .. filters.SelectMany(filter => PreparedPackets.Text(filter).Append((byte)qos))]);

    private static byte[] Short(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Whole(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
