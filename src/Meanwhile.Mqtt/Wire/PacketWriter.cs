using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Meanwhile.Mqtt.Wire;

/// <summary>Collects packets as bytes, so that many go out in one write. Its memory is rented while there is something in it.</summary>
public sealed class PacketWriter : IDisposable
{
    private const int SmallestRent = 1024;

    // From here on, a payload is not copied where it need not be.
    private const int LargePayload = 32 * 1024;

    private byte[] _buffer = [];
    private int _length;

    /// <summary>How many bytes have collected.</summary>
    public int Length => _length + Payload.Length;

    /// <summary>What has collected, without <see cref="Payload"/>; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Large payloads do not change as long as anybody has them, and are sent from where they are.</summary>
    internal bool LendsPayloads { get; init; }

    /// <summary>A large payload at the end of the last packet, which is not copied: it follows <see cref="Written"/>. Nothing may be written after it.</summary>
    internal ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Forgets what has collected.</summary>
    public void Clear()
    {
        (_length, Payload) = (0, default);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>Takes back what was written after a point.</summary>
    internal void CutTo(int length) => (_length, Payload) = (length, default);

    /// <summary>Begins a packet.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="flags">The lower half of its first byte.</param>
    /// <param name="expectedLength">Of its body, about: where the guess is right, nothing has to be moved.</param>
    /// <returns>To be handed to <see cref="End"/>.</returns>
    internal Mark Begin(PacketType type, int flags = 0, int expectedLength = 0)
    {
        var reserved = LengthSize(expectedLength);
        Reserve(1 + reserved);
        _buffer[_length] = (byte)(((int)type << 4) | flags);
        _length += 1 + reserved;
        return new Mark(_length, reserved);
    }

    /// <summary>Ends a packet: its length is known now.</summary>
    internal void End(Mark mark)
    {
        var written = _length - mark.BodyStart;
        var length = written + Payload.Length;
        var shift = LengthSize(length) - mark.Reserved;
        if (shift > 0)
            Reserve(shift);
        if (shift != 0)
            _buffer.AsSpan(mark.BodyStart, written).CopyTo(_buffer.AsSpan(mark.BodyStart + shift));
        _length = mark.BodyStart - mark.Reserved;
        WriteVariableByteInteger((uint)length);
        _length += written;
    }

    /// <summary>Writes a packet that is no more than an identifier, as most are.</summary>
    internal void WriteShort(PacketType type, int flags, ushort packetId)
    {
        Reserve(4);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(_length), ((uint)type << 28) | ((uint)flags << 24) | (sizeof(ushort) << 16) | packetId);
        _length += 4;
    }

    internal void WriteByte(byte value)
    {
        Reserve(1);
        _buffer[_length++] = value;
    }

    internal void WriteUInt16(ushort value)
    {
        Reserve(2);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(_length), value);
        _length += 2;
    }

    internal void WriteUInt32(uint value)
    {
        Reserve(4);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(_length), value);
        _length += 4;
    }

    internal void WriteVariableByteInteger(uint value)
    {
        for (; value > 0x7F; value >>= 7)
            WriteByte((byte)(value | 0x80));
        WriteByte((byte)value);
    }

    internal void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Writes the payload that ends a packet.</summary>
    internal void WritePayload(ReadOnlySequence<byte> payload)
    {
        if (LendsPayloads && payload.IsSingleSegment && payload.Length >= LargePayload)
        {
            Payload = payload.First;
            return;
        }
        foreach (var segment in payload)
            WriteBytes(segment.Span);
    }

    /// <summary>Bytes after their length [MQTT-5.0, 1.5.6].</summary>
    internal void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        WriteUInt16(checked((ushort)bytes.Length));
        WriteBytes(bytes);
    }

    /// <summary>UTF-8 after its length [MQTT-5.0, 1.5.4].</summary>
    internal void WriteText(string text)
    {
        Reserve(2 + Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length + 2));
        WriteUInt16(checked((ushort)length));
        _length += length;
    }

    // How many bytes a variable byte integer takes.
    internal static int LengthSize(int value) => value switch
    {
        < 1 << 7 => 1,
        < 1 << 14 => 2,
        < 1 << 21 => 3,
        _ => 4,
    };

    private void Reserve(int count)
    {
        if (_buffer.Length - _length >= count)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(_length + count, _buffer.Length * 2), SmallestRent));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    internal readonly record struct Mark(int BodyStart, int Reserved);
}
