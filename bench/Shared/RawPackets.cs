using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Meanwhile.Bench;

/// <summary>The few packets of MQTT that programs need which only load, acknowledge and count, as bytes.</summary>
internal static class RawPackets
{
    /// <summary>CONNECT with clean start, version 3.1.1 (4) or 5.0 (5).</summary>
    public static byte[] Connect(string clientId, byte version)
    {
        byte[] properties = version == 5 ? [3, 0x21, 0xFF, 0xFF] : []; // Receive Maximum: no limit of ours.
        return Packet(0x10, [.. Text("MQTT"), version, 0x02, 0, 0, .. properties, .. Text(clientId)]);
    }

    /// <summary>SUBSCRIBE in 5.0 at QoS 1.</summary>
    public static byte[] Subscribe5(string filter) => Packet(0x82, [0, 1, 0, .. Text(filter), 1]);

    /// <summary>SUBSCRIBE in 3.1.1.</summary>
    public static byte[] Subscribe(string filter, int qos) => Packet(0x82, [0, 1, .. Text(filter), (byte)qos]);

    /// <summary>PUBLISH in 3.1.1.</summary>
    public static byte[] Publish(string topic, ushort id, string payload, int qos = 1)
    {
        byte[] packetId = qos > 0 ? [(byte)(id >> 8), (byte)id] : [];
        return Packet((byte)(0x30 | (qos << 1)), [.. Text(topic), .. packetId, .. Encoding.UTF8.GetBytes(payload)]);
    }

    /// <summary>A reading.</summary>
    public static string Reading(int number, long seconds) => $"{{\"number\": {number}, \"epochtime\": \"{seconds}\"}}";

    /// <summary>The length of the packet at the start of some bytes; 0 while it is not complete.</summary>
    public static int CompleteLength(ReadOnlySpan<byte> bytes, out int headerLength)
    {
        var length = 0;
        for (headerLength = 2; headerLength <= bytes.Length; headerLength++)
        {
            var digit = bytes[headerLength - 1];
            length |= (digit & 0x7F) << (7 * (headerLength - 2));
            if (digit < 0x80)
                return bytes.Length >= headerLength + length ? headerLength + length : 0;
        }
        return 0;
    }

    /// <summary>A connection over which both buffers are large.</summary>
    public static async Task<NetworkStream> ConnectAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 1 << 20, SendBufferSize = 1 << 20 };
        await socket.ConnectAsync("127.0.0.1", port);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static byte[] Text(string text)
    {
        var bytes = new byte[2 + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(bytes.Length - 2));
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(2));
        return bytes;
    }

    private static byte[] Packet(byte type, byte[] body) =>
        body.Length < 128 ? [type, (byte)body.Length, .. body] : throw new ArgumentException("too long for one digit of length", nameof(body));
}
