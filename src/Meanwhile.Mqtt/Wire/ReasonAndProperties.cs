namespace Meanwhile.Mqtt.Wire;

/// <summary>The reason and properties at the end of a packet of 5.0; what is left out means success [MQTT-3.4.2-1], [MQTT-3.14.2-1].</summary>
internal static class ReasonAndProperties
{
    public static (ReasonCode Reason, Properties Properties) Read(ref PacketReader reader, PacketType type, ProtocolVersion version)
    {
        var isThere = version == ProtocolVersion.V5 && !reader.IsAtEnd;
        var reason = isThere ? ReasonCodes.Checked(reader.ReadByte(), type) : ReasonCode.Success;
        var properties = isThere && !reader.IsAtEnd ? Properties.Read(ref reader, type) : default;
        reader.End(type);
        return (reason, properties);
    }

    /// <summary>Writes them in their shortest form.</summary>
    public static void Write(PacketWriter writer, ReasonCode reason, Properties properties, ProtocolVersion version)
    {
        if (version != ProtocolVersion.V5 || (reason == ReasonCode.Success && properties.IsEmpty))
            return;
        writer.WriteByte((byte)reason);
        if (!properties.IsEmpty)
            properties.Write(writer);
    }
}
