using System.Buffers;
using System.Text;

namespace Meanwhile.Mqtt.Wire;

/// <summary>A protocol that clients begin with.</summary>
internal enum Speech
{
    /// <summary>None of these.</summary>
    Unknown,

    /// <summary>CONNECT.</summary>
    Mqtt,

    /// <summary>The handshake of TLS.</summary>
    Tls,

    /// <summary>A request of HTTP, perhaps for a WebSocket.</summary>
    Http,

    /// <summary>What a proxy says of its client.</summary>
    Proxy,
}

/// <summary>Tells protocols apart by their first bytes, and says no in each of them.</summary>
internal static class FirstBytes
{
    private const byte Connect = (byte)PacketType.Connect << 4;
    private const byte HandshakeRecord = 0x16;
    private const byte MajorVersionOfTls = 3;
    private const int LongestMethod = 8; // OPTIONS, and the space after it.

    // A record of TLS 1.0, which every version understands before there is an agreement: a fatal alert, handshake_failure.
    private static readonly byte[] Alert = [0x15, 3, 1, 0, 2, 2, 40];

    /// <summary>What begins like this; null when more bytes are needed.</summary>
    public static Speech? Recognize(ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[LongestMethod];
        start = start[..(int)Math.Min(bytes.Length, LongestMethod)];
        bytes.Slice(0, start.Length).CopyTo(start);
        if (start.IsEmpty)
            return null;
        if (start[0] == Connect)
            return Speech.Mqtt;
        if (start[0] == HandshakeRecord)
            return start.Length == 1 ? null : start[1] == MajorVersionOfTls ? Speech.Tls : Speech.Unknown;
        if (ProxyHeader.Signature.StartsWith(start))
            return start.Length < LongestMethod ? null : Speech.Proxy;
        if (start.StartsWith(ProxyHeader.Word))
            return Speech.Proxy;
        var letters = start.IndexOfAnyExceptInRange((byte)'A', (byte)'Z');
        if (letters < 0)
            return start.Length < LongestMethod ? null : Speech.Unknown;
        return letters > 2 && start[letters] == ' ' ? Speech.Http : Speech.Unknown;
    }

    /// <summary>The answer to whoever has come to the wrong port.</summary>
    /// <param name="speech">What it speaks.</param>
    /// <param name="bytes">What it has said so far.</param>
    /// <param name="problem">What is wrong, where there is room for words.</param>
    public static ReadOnlyMemory<byte> Refuse(Speech speech, ReadOnlySequence<byte> bytes, string problem) => speech switch
    {
        Speech.Tls => Alert,
        Speech.Http => Encoding.UTF8.GetBytes(
            $"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {Encoding.UTF8.GetByteCount(problem) + 1}\r\nConnection: close\r\n\r\n{problem}\n"),
        _ => RefuseMqtt(bytes, problem),
    };

    // In the form of 3.1.1 where CONNECT is not all there: clients of 5.0 see as well that it is a refusal.
    private static ReadOnlyMemory<byte> RefuseMqtt(ReadOnlySequence<byte> bytes, string problem)
    {
        var (version, properties) = (ProtocolVersion.V311, default(Properties));
        try
        {
            if (Frame.TryRead(ref bytes, Frame.LargestSize, ProtocolVersion.V5, out var frame) && ConnectPacket.Read(frame) is { } connect)
            {
                version = connect.Version;
                if (connect.Properties.Number(PropertyId.MaximumPacketSize) is null)
                    properties = DisconnectPacket.Why(problem); // [MQTT-3.2.2-19]
            }
        }
        catch (ProtocolException)
        {
            // It is refused for more than one reason.
        }
        using var writer = new PacketWriter();
        new ConnAckPacket(SessionPresent: false, ReasonCode.ServerUnavailable, properties).Write(writer, version);
        return writer.Written.ToArray();
    }
}
