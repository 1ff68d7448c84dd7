namespace Meanwhile.Mqtt.Wire;

/// <summary>DISCONNECT or AUTH: a reason and properties. From the server, and AUTH at all, in 5.0 only.</summary>
/// <param name="Type">Which of the two.</param>
/// <param name="Reason">Why.</param>
/// <param name="Properties">Its properties.</param>
public readonly record struct DisconnectPacket(PacketType Type, ReasonCode Reason, Properties Properties = default)
{
    /// <summary>Reads one.</summary>
    public static DisconnectPacket Read(Frame frame, ProtocolVersion version)
    {
        var reader = new PacketReader(frame.Body);
        var packet = new DisconnectPacket(frame.Type, ReasonCode.Success); // What is left out means success [MQTT-5.0, 3.14.2.1], [MQTT-5.0, 3.15.2.1].
        if (version == ProtocolVersion.V5 && !reader.IsAtEnd)
            packet = packet with { Reason = ReasonCodes.Checked(reader.ReadByte(), frame.Type) };
        if (version == ProtocolVersion.V5 && !reader.IsAtEnd)
            packet = packet with { Properties = Properties.Read(ref reader, frame.Type) };
        reader.End(frame.Type);
        return packet;
    }

    /// <summary>Writes it, in its shortest form.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var mark = writer.Begin(Type);
        if (version == ProtocolVersion.V5 && (Reason != ReasonCode.Success || !Properties.IsEmpty))
        {
            writer.WriteByte((byte)Reason);
            if (!Properties.IsEmpty)
                Properties.Write(writer);
        }
        writer.End(mark);
    }
}
