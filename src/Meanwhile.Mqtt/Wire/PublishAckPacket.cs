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
        var ack = new PublishAckPacket(frame.Type, reader.ReadPacketId());
        if (version == ProtocolVersion.V5 && !reader.IsAtEnd)
            ack = ack with { Reason = ReasonCodes.Checked(reader.ReadByte(), frame.Type) };
        if (version == ProtocolVersion.V5 && !reader.IsAtEnd)
            ack = ack with { Properties = Properties.Read(ref reader, frame.Type) };
        reader.End(frame.Type);
        return ack;
    }

    /// <summary>Writes it, in its shortest form.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var mark = writer.Begin(Type, Type == PacketType.PubRel ? 2 : 0); // [MQTT-3.6.1-1]
        writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5 && (Reason != ReasonCode.Success || !Properties.IsEmpty))
        {
            writer.WriteByte((byte)Reason);
            if (!Properties.IsEmpty)
                Properties.Write(writer);
        }
        writer.End(mark);
    }
}
