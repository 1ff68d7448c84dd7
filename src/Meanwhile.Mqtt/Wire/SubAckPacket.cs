namespace Meanwhile.Mqtt.Wire;

/// <summary>SUBACK or UNSUBACK: the answer to each filter of SUBSCRIBE or UNSUBSCRIBE, in their order.</summary>
/// <param name="Type">Which of the two.</param>
/// <param name="PacketId">The packet identifier of the request.</param>
/// <param name="Reasons">What became of each filter [MQTT-3.8.4-6], [MQTT-3.11.3-1].</param>
/// <param name="Properties">Its properties.</param>
public sealed record SubAckPacket(PacketType Type, ushort PacketId, IReadOnlyList<ReasonCode> Reasons, Properties Properties = default)
{
    /// <summary>How many bytes the answer to so many filters takes, without properties, in 5.0.</summary>
    internal static int SizeOf(int filters) => 1 + PacketWriter.LengthSize(3 + filters) + 3 + filters;

    /// <summary>Reads one.</summary>
    public static SubAckPacket Read(Frame frame, ProtocolVersion version)
    {
        var reader = new PacketReader(frame.Body);
        var packetId = reader.ReadPacketId();
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, frame.Type) : default;
        var reasons = new List<ReasonCode>();
        while (HasReasons(frame.Type, version) && !reader.IsAtEnd)
        {
            var reason = ReasonCodes.Checked(reader.ReadByte(), frame.Type);
            if (version != ProtocolVersion.V5 && reason > ReasonCode.UnspecifiedError)
                throw ProtocolException.Malformed($"return code 0x{(byte)reason:X2} in SubAck"); // [MQTT-3.9.3-2] of 3.1.1
            reasons.Add(reason);
        }
        reader.End(frame.Type);
        return new SubAckPacket(frame.Type, packetId, reasons, properties);
    }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var mark = writer.Begin(Type);
        writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5)
            Properties.Write(writer);
        foreach (var reason in HasReasons(Type, version) ? Reasons : [])
            writer.WriteByte(version == ProtocolVersion.V5 || reason < ReasonCodes.FirstError ? (byte)reason : (byte)ReasonCode.UnspecifiedError);
        writer.End(mark);
    }

    // UNSUBACK of 3.1.1 has no payload [MQTT-3.1.1, 3.11.3].
    private static bool HasReasons(PacketType type, ProtocolVersion version) => type == PacketType.SubAck || version == ProtocolVersion.V5;
}
