namespace Meanwhile.Mqtt.Wire;

/// <summary>CONNACK: the server's answer to CONNECT.</summary>
/// <param name="SessionPresent">The server goes on with an earlier session.</param>
/// <param name="Reason">Why, or why not.</param>
/// <param name="Properties">Its properties.</param>
public readonly record struct ConnAckPacket(bool SessionPresent, ReasonCode Reason, Properties Properties = default)
{
    /// <summary>Reads one.</summary>
    public static ConnAckPacket Read(Frame frame, ProtocolVersion version)
    {
        var reader = new PacketReader(frame.Body);
        var flags = reader.ReadByte();
        if (flags > 1)
            throw ProtocolException.Malformed("the reserved flags of ConnAck"); // [MQTT-3.2.2-1]
        var code = reader.ReadByte();
        var reason = version == ProtocolVersion.V5 ? ReasonCodes.Checked(code, PacketType.ConnAck) : ReasonCodes.FromReturnCode(code);
        if (flags == 1 && reason != ReasonCode.Success)
            throw ProtocolException.Error("a session with a refusal in ConnAck"); // [MQTT-3.2.2-6]
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, PacketType.ConnAck) : default;
        reader.End(PacketType.ConnAck);
        return new ConnAckPacket(flags == 1, reason, properties);
    }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var mark = writer.Begin(PacketType.ConnAck);
        writer.WriteByte(SessionPresent && version != ProtocolVersion.V31 ? (byte)1 : (byte)0);
        writer.WriteByte(version == ProtocolVersion.V5 ? (byte)Reason : ReasonCodes.ToReturnCode(Reason));
        if (version == ProtocolVersion.V5)
            Properties.Write(writer);
        writer.End(mark);
    }
}
