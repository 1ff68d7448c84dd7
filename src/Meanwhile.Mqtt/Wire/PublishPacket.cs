using System.Buffers;

namespace Meanwhile.Mqtt.Wire;

/// <summary>PUBLISH: a message, in either direction.</summary>
public readonly record struct PublishPacket
{
    /// <summary>Where to; empty when a topic alias stands for it.</summary>
    public required string Topic { get; init; }

    /// <summary>What: a slice of the stream.</summary>
    public ReadOnlySequence<byte> Payload { get; init; }

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>0, 1 or 2.</summary>
    public int Qos { get; init; }

    /// <summary>An earlier attempt may have been made.</summary>
    public bool Dup { get; init; }

    /// <summary>Keep it for later subscribers; towards a client: it was kept.</summary>
    public bool Retain { get; init; }

    /// <summary>Its properties.</summary>
    public Properties Properties { get; init; }

    /// <summary>Of the subscriptions it is delivered for, where it is written [MQTT-3.3.4-3]; one that is read has them among its properties.</summary>
    internal uint[]? Identifiers { get; init; }

    /// <summary>Reads one.</summary>
    /// <param name="frame">The packet.</param>
    /// <param name="version">What was agreed on.</param>
    /// <param name="topics">Topics that were read before.</param>
    public static PublishPacket Read(Frame frame, ProtocolVersion version, TopicCache topics)
    {
        var reader = new PacketReader(frame.Body);
        var qos = (frame.Flags >> 1) & 3;
        var dup = (frame.Flags & 8) != 0;
        if (qos == 3)
            throw ProtocolException.Malformed("QoS 3"); // [MQTT-3.3.1-4]
        if (qos == 0 && dup && version != ProtocolVersion.V31)
            throw ProtocolException.Malformed("DUP at QoS 0"); // [MQTT-3.3.1-2]
        var topic = topics.Read(ref reader);
        var packetId = qos > 0 ? reader.ReadPacketId() : (ushort)0; // [MQTT-2.2.1-2]
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, PacketType.Publish) : default;
        if (topic.Length == 0 && properties.Number(PropertyId.TopicAlias) is null)
            throw ProtocolException.Error("neither a topic nor an alias"); // [MQTT-5.0, 3.3.2.1], [MQTT-4.7.3-1]
        return new PublishPacket
        {
            Topic = topic,
            PacketId = packetId,
            Qos = qos,
            Dup = dup,
            Retain = (frame.Flags & 1) != 0,
            Properties = properties,
            Payload = reader.ReadRest(),
        };
    }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var flags = (Dup ? 8 : 0) | (Qos << 1) | (Retain ? 1 : 0);
        var mark = writer.Begin(PacketType.Publish, flags, expectedLength: (int)Payload.Length + Topic.Length + 8);
        writer.WriteText(Topic);
        if (Qos > 0)
            writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5)
            Properties.Write(writer, Identifiers);
        writer.WritePayload(Payload);
        writer.End(mark);
    }
}
