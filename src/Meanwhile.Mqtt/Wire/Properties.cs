using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Meanwhile.Mqtt.Wire;

/// <summary>
/// The properties of one packet, in their order on the wire, as the bytes that they are there. The default value has none. Those of a PUBLISH that was read are a slice of the
/// stream, as its payload is: whoever keeps them copies them.
/// </summary>
public readonly struct Properties
{
    private readonly ReadOnlyMemory<byte> _bytes; // Without the length before them; checked.

    /// <summary>These properties.</summary>
    /// <exception cref="ArgumentException">One is none of MQTT's, or too long.</exception>
    public Properties(params ReadOnlySpan<Property> items)
    {
        if (items.IsEmpty)
            return;
        using var writer = new PacketWriter();
        foreach (var property in items)
        {
            if (!property.CanBeWritten)
                throw new ArgumentException($"{property.Id} is no property of MQTT 5.0, or longer than 65,535 bytes", nameof(items));
            property.Write(writer);
        }
        _bytes = writer.Written.ToArray();
    }

    private Properties(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    /// <summary>There are none.</summary>
    public bool IsEmpty => _bytes.IsEmpty;

    /// <summary>The memory they take, in bytes.</summary>
    internal int Size => _bytes.Length;

    /// <summary>The value of one, where that is a number; null when it is absent.</summary>
    public uint? Number(PropertyId id) => Find(id)?.Number;

    /// <summary>The value of one, where that is text; null when it is absent.</summary>
    public string? Text(PropertyId id) => Find(id)?.Text;

    /// <summary>One of them is present.</summary>
    public bool Has(PropertyId id) => Find(id) is not null;

    /// <summary>One after the other. Only what is looked at takes memory.</summary>
    public PropertyEnumerator GetEnumerator() => new(_bytes);

    /// <summary>Reads those of a message, or of a will, that <see cref="ToBytes"/> has written.</summary>
    /// <param name="bytes">They stay as they are as long as the properties are used.</param>
    /// <param name="ofWill">They are a will's.</param>
    /// <exception cref="ProtocolException">They are none.</exception>
    public static Properties FromBytes(ReadOnlyMemory<byte> bytes, bool ofWill = false)
    {
        var reader = new PacketReader(new ReadOnlySequence<byte>(bytes));
        return Read(ref reader, ofWill ? PacketType.Reserved : PacketType.Publish);
    }

    /// <summary>Writes them as they stand in a packet.</summary>
    public byte[] ToBytes()
    {
        using var writer = new PacketWriter();
        Write(writer);
        return writer.Written.ToArray();
    }

    /// <summary>Reads the properties that may stand in a packet, with the length before them.</summary>
    internal static Properties Read(ref PacketReader reader, PacketType place)
    {
        var length = reader.ReadVariableByteInteger();
        if (length == 0)
            return default;
        var slice = reader.ReadExactly(length);
        var bytes = slice.IsSingleSegment && place == PacketType.Publish ? slice.First : slice.ToArray();
        Check(bytes, place);
        return new Properties(bytes);
    }

    /// <summary>Writes them with their length before them.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="identifiers">Of subscriptions, which are written before: there may be thousands, which are no properties of a message.</param>
    internal void Write(PacketWriter writer, ReadOnlySpan<uint> identifiers = default)
    {
        var length = _bytes.Length;
        foreach (var identifier in identifiers)
            length += 1 + PacketWriter.LengthSize((int)identifier);
        writer.WriteVariableByteInteger((uint)length);
        foreach (var identifier in identifiers)
        {
            writer.WriteByte((byte)PropertyId.SubscriptionIdentifier);
            writer.WriteVariableByteInteger(identifier);
        }
        writer.WriteBytes(_bytes.Span);
    }

    /// <summary>These after others.</summary>
    internal Properties After(params ReadOnlySpan<Property> first) => IsEmpty ? new Properties(first) : new Properties(new ReadOnlyMemory<byte>([.. new Properties(first)._bytes.Span, .. _bytes.Span]));

    /// <summary>Copies those that meet a condition.</summary>
    /// <param name="destination">Large enough for all of them.</param>
    internal Properties CopyTo(Memory<byte> destination, Func<PropertyId, bool> condition)
    {
        var length = 0;
        for (var each = GetEnumerator(); each.MoveNext();)
        {
            if (!condition(each.Id))
                continue;
            each.Bytes.CopyTo(destination[length..]);
            length += each.Bytes.Length;
        }
        return new Properties(destination[..length]);
    }

    /// <summary>The memory that those take which meet a condition, in bytes.</summary>
    internal int SizeOf(Func<PropertyId, bool> condition)
    {
        var length = 0;
        for (var each = GetEnumerator(); each.MoveNext();)
            length += condition(each.Id) ? each.Bytes.Length : 0;
        return length;
    }

    private Property? Find(PropertyId id)
    {
        for (var each = GetEnumerator(); each.MoveNext();)
        {
            if (each.Id == id)
                return each.Current;
        }
        return null;
    }

    private static void Check(ReadOnlyMemory<byte> bytes, PacketType place)
    {
        var reader = new PacketReader(new ReadOnlySequence<byte>(bytes));
        var seen = 0UL;
        while (!reader.IsAtEnd)
        {
            var id = CheckOne(ref reader, place);
            var bit = 1UL << (int)id;
            if ((seen & bit) != 0 && !MayRepeat(id, place))
                throw ProtocolException.Error($"{id} twice in {place}"); // [MQTT-5.0, 2.2.2.2]
            seen |= bit;
        }
    }

    private static bool MayRepeat(PropertyId id, PacketType place) =>
        id == PropertyId.UserProperty || (id == PropertyId.SubscriptionIdentifier && place == PacketType.Publish);

    private static PropertyId CheckOne(ref PacketReader reader, PacketType place)
    {
        var number = reader.ReadVariableByteInteger();
        var (id, rule) = ((PropertyId)number, PropertyRule.Of(number));
        if (!rule.IsAllowedIn(place))
            throw ProtocolException.Malformed($"property 0x{number:X2} in {place}"); // [MQTT-5.0, 2.2.2.2]
        switch (rule.Type)
        {
            case PropertyType.Text:
                var text = reader.ReadUtf8();
                if (id == PropertyId.ResponseTopic && !Topic.IsName(Encoding.UTF8.GetString(text)))
                    throw ProtocolException.Error("a response topic that is no topic name"); // [MQTT-3.3.2-14]
                break;
            case PropertyType.TextPair:
                reader.ReadUtf8();
                reader.ReadUtf8();
                break;
            case PropertyType.Binary:
                reader.ReadBinary();
                break;
            default:
                CheckNumber(id, rule, ReadNumber(ref reader, rule.Type), place);
                break;
        }
        return id;
    }

    private static uint ReadNumber(ref PacketReader reader, PropertyType type) => type switch
    {
        PropertyType.Byte => reader.ReadByte(),
        PropertyType.TwoByte => reader.ReadUInt16(),
        PropertyType.FourByte => reader.ReadUInt32(),
        _ => reader.ReadVariableByteInteger(),
    };

    private static void CheckNumber(PropertyId id, PropertyRule rule, uint number, PacketType place)
    {
        if (id == PropertyId.TopicAlias && number == 0)
            throw new ProtocolException(ReasonCode.TopicAliasInvalid, "topic alias 0"); // [MQTT-3.3.2-8]
        if (number < rule.Least || number > rule.Most)
            throw ProtocolException.Error($"{id} {number} in {place}"); // such as [MQTT-3.1.2-24]
    }
}

/// <summary>Goes through the properties of a packet.</summary>
public struct PropertyEnumerator
{
    private ReadOnlyMemory<byte> _rest;

    internal PropertyEnumerator(ReadOnlyMemory<byte> bytes) => _rest = bytes;

    /// <summary>The property.</summary>
    public readonly Property Current => Property.Read(Id, Bytes);

    /// <summary>Which one it is.</summary>
    internal readonly PropertyId Id => (PropertyId)Bytes.Span[0]; // All are below 128: one byte, though they are variable byte integers [MQTT-5.0, 2.2.2.2].

    /// <summary>Its identifier and its value, as they stand in the packet.</summary>
    internal ReadOnlyMemory<byte> Bytes { get; private set; }

    /// <summary>Goes on to the next one.</summary>
    /// <returns>False when there is none.</returns>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        var length = 1 + ValueLength(_rest.Span);
        (Bytes, _rest) = (_rest[..length], _rest[length..]);
        return true;
    }

    private static int ValueLength(ReadOnlySpan<byte> property)
    {
        var value = property[1..];
        switch (PropertyRule.Of(property[0]).Type)
        {
            case PropertyType.Byte:
                return sizeof(byte);
            case PropertyType.TwoByte:
                return sizeof(ushort);
            case PropertyType.FourByte:
                return sizeof(uint);
            case PropertyType.VariableByte:
                return 1 + value.IndexOfAnyInRange((byte)0, (byte)0x7F);
            case PropertyType.TextPair:
                var name = LengthAt(value);
                return name + LengthAt(value[name..]);
            default:
                return LengthAt(value);
        }
    }

    private static int LengthAt(ReadOnlySpan<byte> bytes) => sizeof(ushort) + BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
