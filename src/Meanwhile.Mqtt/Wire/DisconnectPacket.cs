namespace Meanwhile.Mqtt.Wire;

/// <summary>DISCONNECT or AUTH: a reason and properties. From the server, and AUTH at all, in 5.0 only.</summary>
/// <param name="Type">Which of the two.</param>
/// <param name="Reason">Why.</param>
/// <param name="Properties">Its properties.</param>
public readonly record struct DisconnectPacket(PacketType Type, ReasonCode Reason, Properties Properties = default)
{
    private const int LongestReason = 256;

    /// <summary>Reads one.</summary>
    public static DisconnectPacket Read(Frame frame, ProtocolVersion version)
    {
        var reader = new PacketReader(frame.Body);
        var (reason, properties) = ReasonAndProperties.Read(ref reader, frame.Type, version);
        return new DisconnectPacket(frame.Type, reason, properties);
    }

    /// <summary>The reason in words, as a property of an answer; none where there are no words.</summary>
    public static Properties Why(string words) => words.Length is > 0 and <= LongestReason ? new Properties(new Property(PropertyId.ReasonString, Text: words)) : default;

    /// <summary>Writes it, in its shortest form.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var mark = writer.Begin(Type);
        ReasonAndProperties.Write(writer, Reason, Properties, version);
        writer.End(mark);
    }
}
