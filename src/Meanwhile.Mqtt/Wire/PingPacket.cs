namespace Meanwhile.Mqtt.Wire;

/// <summary>PINGREQ or PINGRESP: a sign of life and its answer.</summary>
/// <param name="Type">Which of the two.</param>
public readonly record struct PingPacket(PacketType Type)
{
    /// <summary>Reads one.</summary>
    public static PingPacket Read(Frame frame)
    {
        new PacketReader(frame.Body).End(frame.Type);
        return new PingPacket(frame.Type);
    }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer) => writer.End(writer.Begin(Type));
}
