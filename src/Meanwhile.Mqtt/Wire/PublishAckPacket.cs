namespace Meanwhile.Mqtt.Wire;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP: four packets of one shape.</summary>
/// <param name="Type">Which of the four.</param>
/// <param name="PacketId">The packet identifier of the PUBLISH.</param>
/// <param name="Reason">What became of it; in 5.0 only.</param>
/// <param name="Properties">Its properties.</param>
public readonly record struct PublishAckPacket(PacketType Type, ushort PacketId, ReasonCode Reason = ReasonCode.Success, Properties Properties = default)
{
    /// <summary>Reads one.</summary>
    public static PublishAckPacket Read(Frame frame, ProtocolVersion version)
    {
        var reader = new PacketReader(frame.Body);
        var packetId = reader.ReadPacketId();
        var (reason, properties) = ReasonAndProperties.Read(ref reader, frame.Type, version);
        return new PublishAckPacket(frame.Type, packetId, reason, properties);
    }

    /// <summary>Writes it, in its shortest form.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var flags = Type == PacketType.PubRel ? 2 : 0; // [MQTT-3.6.1-1]
        if (Reason == ReasonCode.Success && Properties.IsEmpty)
        {
            writer.WriteShort(Type, flags, PacketId);
            return;
        }
        var mark = writer.Begin(Type, flags);
        writer.WriteUInt16(PacketId);
        ReasonAndProperties.Write(writer, Reason, Properties, version);
        writer.End(mark);
    }
}
