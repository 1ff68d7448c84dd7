using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Meanwhile.Mqtt.Wire;

/// <summary>Reads the body of one packet, field by field, where its bytes lie.</summary>
internal ref struct PacketReader(ReadOnlySequence<byte> body)
{
    private SequenceReader<byte> _reader = new(body);

    /// <summary>Nothing is left.</summary>
    public readonly bool IsAtEnd => _reader.End;

    /// <summary>How much is left.</summary>
    public readonly long Remaining => _reader.Remaining;

    /// <summary>One byte.</summary>
    public byte ReadByte() => _reader.TryRead(out var value) ? value : throw Short();

    /// <summary>Two bytes, big-endian [MQTT-5.0, 1.5.2].</summary>
    public ushort ReadUInt16() => _reader.TryReadBigEndian(out short value) ? (ushort)value : throw Short();

    /// <summary>Four bytes, big-endian [MQTT-5.0, 1.5.3].</summary>
    public uint ReadUInt32() => _reader.TryReadBigEndian(out int value) ? (uint)value : throw Short();

    /// <summary>One to four bytes, seven bits each [MQTT-5.0, 1.5.5].</summary>
    public uint ReadVariableByteInteger() => VariableByteInteger.TryRead(ref _reader, isStrict: true, out var value) ? value : throw Short();

    /// <summary>A packet identifier.</summary>
    public ushort ReadPacketId() =>
        ReadUInt16() is not 0 and var id ? id : throw ProtocolException.Malformed("packet identifier 0"); // [MQTT-2.2.1-3]

    /// <summary>Bytes after their length [MQTT-5.0, 1.5.6]; a slice.</summary>
    public ReadOnlySequence<byte> ReadBinary() => ReadExactly(ReadUInt16());

    /// <summary>UTF-8 after its length, checked, as it lies.</summary>
    public ReadOnlySequence<byte> ReadUtf8()
    {
        var bytes = ReadBinary();
        if (bytes.IsSingleSegment)
            CheckUtf8(bytes.FirstSpan);
        else
            CheckUtf8(bytes.ToArray());
        return bytes;
    }

    /// <summary>UTF-8 after its length, as text; a byte order mark stays in it [MQTT-1.5.4-3].</summary>
    public string ReadText() => Encoding.UTF8.GetString(ReadUtf8());

    /// <summary>Text that names something.</summary>
    public string ReadName()
    {
        var name = ReadText();
        CheckName(name);
        return name;
    }

    /// <summary>All that is left; a slice.</summary>
    public ReadOnlySequence<byte> ReadRest() => ReadExactly(_reader.Remaining);

    /// <summary>As many bytes; a slice.</summary>
    public ReadOnlySequence<byte> ReadExactly(long length)
    {
        if (_reader.Remaining < length)
            throw Short();
        var slice = _reader.UnreadSequence.Slice(0, length);
        _reader.Advance(length);
        return slice;
    }

    /// <summary>Says that everything was read.</summary>
    public readonly void End(PacketType type)
    {
        if (!_reader.End)
            throw ProtocolException.Malformed($"{type} with {_reader.Remaining} bytes too many");
    }

    /// <summary>Text has to be UTF-8, without U+0000.</summary>
    public static void CheckUtf8(ReadOnlySpan<byte> bytes)
    {
        if (!Utf8.IsValid(bytes))
            throw ProtocolException.Malformed("text that is not UTF-8"); // [MQTT-1.5.4-1]: also surrogates
        if (bytes.Contains((byte)0))
            throw ProtocolException.Malformed("text with U+0000"); // [MQTT-1.5.4-2]
    }

    /// <summary>A name has no control characters and nothing that is no character: the standard leaves it to the receiver, and nobody could read them [MQTT-5.0, 1.5.4].</summary>
    public static void CheckName(string name)
    {
        foreach (var rune in name.EnumerateRunes())
        {
            if (Rune.IsControl(rune) || (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF)
                throw ProtocolException.Malformed($"U+{rune.Value:X4} in a name");
        }
    }

    private static ProtocolException Short() => ProtocolException.Malformed("the packet ends inside a field");
}
