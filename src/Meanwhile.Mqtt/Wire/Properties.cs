using System.Buffers;

namespace Meanwhile.Mqtt.Wire;

/// <summary>The properties of one packet, in their order on the wire. The default value has none and costs nothing.</summary>
public readonly struct Properties
{
    // What a property costs beside its text and data, about.
    private const int PropertyOverhead = 128;

    private readonly Property[]? _items;

    /// <summary>These properties.</summary>
    public Properties(params ReadOnlySpan<Property> items) => _items = items.IsEmpty ? null : items.ToArray();

    /// <summary>All of them.</summary>
    public ReadOnlySpan<Property> Items => _items;

    /// <summary>There are none.</summary>
    public bool IsEmpty => _items is null;

    /// <summary>The memory they take, about.</summary>
    internal int Size
    {
        get
        {
            var size = 0;
            foreach (var property in Items)
                size += PropertyOverhead + (2 * (property.Text.Length + property.Value.Length)) + property.Data.Length;
            return size;
        }
    }

    /// <summary>The value of one, where that is a number; null when it is absent.</summary>
    public uint? Number(PropertyId id) => Find(id)?.Number;

    /// <summary>The value of one, where that is text; null when it is absent.</summary>
    public string? Text(PropertyId id) => Find(id)?.Text;

    /// <summary>Those that meet a condition.</summary>
    public Properties Where(Func<Property, bool> condition) => _items is null || Array.TrueForAll(_items, property => condition(property)) ? this : new([.. _items.Where(condition)]);

    /// <summary>Reads those of a message, or of a will, that <see cref="ToBytes"/> has written.</summary>
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
        var inner = new PacketReader(reader.ReadExactly(length));
        var items = new List<Property>();
        var seen = 0UL;
        while (!inner.IsAtEnd)
        {
            var property = ReadOne(ref inner, place);
            var bit = 1UL << (int)property.Id;
            if ((seen & bit) != 0 && !MayRepeat(property.Id, place))
                throw ProtocolException.Error($"{property.Id} twice in {place}"); // [MQTT-5.0, 2.2.2.2]
            seen |= bit;
            items.Add(property);
        }
        return new Properties([.. items]);
    }

    /// <summary>Writes them with their length before them.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="identifiers">Of subscriptions, which are written before: there may be thousands, which are no properties of a message.</param>
    internal void Write(PacketWriter writer, ReadOnlySpan<uint> identifiers = default)
    {
        var length = 0;
        foreach (var identifier in identifiers)
            length += 1 + PacketWriter.LengthSize((int)identifier);
        foreach (var property in Items)
            length += 1 + ValueSize(property);
        writer.WriteVariableByteInteger((uint)length);
        foreach (var identifier in identifiers)
        {
            writer.WriteByte((byte)PropertyId.SubscriptionIdentifier);
            writer.WriteVariableByteInteger(identifier);
        }
        foreach (var property in Items)
            WriteOne(writer, property);
    }

    private Property? Find(PropertyId id)
    {
        foreach (var property in Items)
        {
            if (property.Id == id)
                return property;
        }
        return null;
    }

    private static bool MayRepeat(PropertyId id, PacketType place) =>
        id == PropertyId.UserProperty || (id == PropertyId.SubscriptionIdentifier && place == PacketType.Publish);

    private static Property ReadOne(ref PacketReader reader, PacketType place)
    {
        var number = reader.ReadVariableByteInteger();
        var (id, rule) = ((PropertyId)number, PropertyRule.Of(number));
        if (!rule.IsAllowedIn(place))
            throw ProtocolException.Malformed($"property 0x{number:X2} in {place}"); // [MQTT-5.0, 2.2.2.2]
        var property = rule.Type switch
        {
            PropertyType.Byte => new Property(id, reader.ReadByte()),
            PropertyType.TwoByte => new Property(id, reader.ReadUInt16()),
            PropertyType.FourByte => new Property(id, reader.ReadUInt32()),
            PropertyType.VariableByte => new Property(id, reader.ReadVariableByteInteger()),
            PropertyType.Text => new Property(id, Text: reader.ReadText()),
            PropertyType.TextPair => new Property(id, Text: reader.ReadText(), Value: reader.ReadText()),
            _ => new Property(id, Data: reader.ReadBinary().ToArray()),
        };
        if (id == PropertyId.TopicAlias && property.Number == 0)
            throw new ProtocolException(ReasonCode.TopicAliasInvalid, "topic alias 0"); // [MQTT-3.3.2-8]
        if (property.Number < rule.Least || property.Number > rule.Most)
            throw ProtocolException.Error($"{id} {property.Number} in {place}"); // such as a Receive Maximum of 0 [MQTT-5.0, 3.1.2.11.3]
        if (id == PropertyId.ResponseTopic && !Topic.IsName(property.Text))
            throw ProtocolException.Error("a response topic that is no topic name"); // [MQTT-3.3.2-14]
        return property;
    }

    private static int ValueSize(Property property) => PropertyRule.Of((uint)property.Id).Type switch
    {
        PropertyType.Byte => 1,
        PropertyType.TwoByte => 2,
        PropertyType.FourByte => 4,
        PropertyType.VariableByte => PacketWriter.LengthSize((int)property.Number),
        PropertyType.Text => TextSize(property.Text),
        PropertyType.TextPair => TextSize(property.Text) + TextSize(property.Value),
        _ => 2 + property.Data.Length,
    };

    private static int TextSize(string text) => 2 + System.Text.Encoding.UTF8.GetByteCount(text);

    private static void WriteOne(PacketWriter writer, Property property)
    {
        writer.WriteByte((byte)property.Id);
        switch (PropertyRule.Of((uint)property.Id).Type)
        {
            case PropertyType.Byte:
                writer.WriteByte((byte)property.Number);
                break;
            case PropertyType.TwoByte:
                writer.WriteUInt16((ushort)property.Number);
                break;
            case PropertyType.FourByte:
                writer.WriteUInt32(property.Number);
                break;
            case PropertyType.VariableByte:
                writer.WriteVariableByteInteger(property.Number);
                break;
            case PropertyType.Text:
                writer.WriteText(property.Text);
                break;
            case PropertyType.TextPair:
                writer.WriteText(property.Text);
                writer.WriteText(property.Value);
                break;
            default:
                writer.WriteBinary(property.Data.Span);
                break;
        }
    }
}
