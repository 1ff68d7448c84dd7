using System.Buffers;

namespace Meanwhile.Mqtt.Wire;

/// <summary>The message that a client leaves behind in CONNECT, for when it goes without leave.</summary>
/// <param name="Topic">Where to.</param>
/// <param name="Payload">What.</param>
/// <param name="Qos">How.</param>
/// <param name="Retain">Whether it is kept.</param>
/// <param name="Properties">Its properties.</param>
public sealed record Will(string Topic, ReadOnlyMemory<byte> Payload, int Qos, bool Retain, Properties Properties)
{
    internal int Size => Properties.Size + (2 * Topic.Length) + Payload.Length;

    internal static Will Read(ref PacketReader reader, int qos, bool retain, ProtocolVersion version)
    {
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, PacketType.Reserved) : default;
        var topic = reader.ReadName();
        if (!Wire.Topic.IsName(topic))
            throw ProtocolException.Malformed("the will's topic is no topic name"); // [MQTT-3.1.3-11], [MQTT-4.7.0-1]
        return new Will(topic, reader.ReadBinary().ToArray(), qos, retain, properties);
    }

    internal void Write(PacketWriter writer, ProtocolVersion version)
    {
        if (version == ProtocolVersion.V5)
            Properties.Write(writer);
        writer.WriteText(Topic);
        writer.WriteBinary(Payload.Span);
    }
}
