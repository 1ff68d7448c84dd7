using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>Packets as bytes, put together by hand.</summary>
internal static class RawPackets
{
    /// <summary>A PUBLISH of sevens.</summary>
    public static byte[] Publish(ushort id, int qos, bool dup = false, bool is5 = true, string topic = "DATA", int payloadLength = 1)
    {
        var payload = new byte[payloadLength];
        Array.Fill(payload, (byte)'7');
        return Publish(id, qos, dup, is5, topic, payload);
    }

    /// <summary>A PUBLISH.</summary>
    public static byte[] Publish(ushort id, int qos, bool dup, bool is5, string topic, byte[] payload)
    {
        byte[] name = Encoding.UTF8.GetBytes(topic);
        byte[] identifier = qos == 0 ? [] : [(byte)(id >> 8), (byte)id];
        byte[] properties = is5 ? [0] : [];
        var length = 2 + name.Length + identifier.Length + properties.Length + payload.Length;
        List<byte> digits = [];
        for (var rest = length; rest > 0 || digits.Count == 0; rest >>= 7)
            digits.Add((byte)((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0)));
        return [(byte)(0x30 | (qos << 1) | (dup ? 8 : 0)), .. digits, (byte)(name.Length >> 8), (byte)name.Length, .. name, .. identifier, .. properties, .. payload];
    }
}
