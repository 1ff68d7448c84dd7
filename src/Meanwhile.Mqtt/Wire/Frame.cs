using System.Buffers;

namespace Meanwhile.Mqtt.Wire;

/// <summary>One packet as it lies in the stream: its fixed header taken apart, its body untouched.</summary>
/// <param name="Type">The packet's type.</param>
/// <param name="Flags">The lower half of the first byte.</param>
/// <param name="Body">Everything after the fixed header; valid as long as the buffer is.</param>
public readonly record struct Frame(PacketType Type, byte Flags, ReadOnlySequence<byte> Body)
{
    /// <summary>Of a packet with its header, in bytes: what the length can say [MQTT-5.0, 1.5.5].</summary>
    public const int LargestSize = 1 + VariableByteInteger.Longest + 268_435_455;

    // Of CONNECT: the name of the protocol and its level.
    private const int LongestVersion = 9;

    /// <summary>It is not all of the packet: that is too long.</summary>
    internal bool IsCut { get; private init; }

    /// <summary>Cuts the next packet off a stream, however its bytes arrive.</summary>
    /// <param name="buffer">What has arrived; the packet is removed from it.</param>
    /// <param name="maximumSize">Of a packet with its header. It is checked as soon as the length is known, before anything waits for the rest.</param>
    /// <param name="version">What was agreed on; before CONNECT, any.</param>
    /// <param name="frame">The packet.</param>
    /// <returns>False when more bytes are needed.</returns>
    /// <exception cref="ProtocolException">No packet begins like this.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, int maximumSize, ProtocolVersion version, out Frame frame)
    {
        frame = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryRead(out var first))
            return false;
        var (type, flags) = ((PacketType)(first >> 4), (byte)(first & 0x0F));
        CheckFlags(type, flags, version);
        if (!VariableByteInteger.TryRead(ref reader, isStrict: version == ProtocolVersion.V5, out var length))
            return false;
        if (length + reader.Consumed > maximumSize)
            throw new ProtocolException(ReasonCode.PacketTooLarge, $"{type} of {length + reader.Consumed} bytes, more than {maximumSize}"); // [MQTT-3.2.2-15]
        if (reader.Remaining < length)
            return false;
        frame = new Frame(type, flags, buffer.Slice(reader.Consumed, length));
        buffer = buffer.Slice(reader.Consumed + length);
        return true;
    }

    /// <summary>Cuts the first packet off a stream. Of a CONNECT that is too long the beginning is enough: it says in which version it is to be refused.</summary>
    internal static bool TryReadFirst(ref ReadOnlySequence<byte> buffer, int maximumSize, out Frame frame)
    {
        var reader = new SequenceReader<byte>(buffer);
        var isLong = reader.TryRead(out var first) && (PacketType)(first >> 4) == PacketType.Connect
            && VariableByteInteger.TryRead(ref reader, isStrict: true, out var length) && length + reader.Consumed > maximumSize;
        if (!isLong)
            return TryRead(ref buffer, maximumSize, ProtocolVersion.V5, out frame);
        frame = default;
        if (reader.Remaining < LongestVersion)
            return false;
        frame = new Frame(PacketType.Connect, 0, reader.UnreadSequence.Slice(0, LongestVersion)) { IsCut = true };
        buffer = buffer.Slice(buffer.End);
        return true;
    }

    private static void CheckFlags(PacketType type, byte flags, ProtocolVersion version)
    {
        if (type == PacketType.Reserved || (type == PacketType.Auth && version != ProtocolVersion.V5))
            throw ProtocolException.Malformed($"packet type {(int)type} is reserved");
        if (type == PacketType.Publish || version == ProtocolVersion.V31)
            return; // In 3.1 others have no meaning, or DUP.
        var expected = type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0; // [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1]
        if (flags != expected)
            throw ProtocolException.Malformed($"flags {flags} in {type}"); // [MQTT-2.1.3-1]
    }
}
