using System.Buffers;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>How a queued message becomes a PUBLISH for one client.</summary>
internal static class OutgoingPublish
{
    /// <summary>Writes it, unless it is larger than the client takes [MQTT-3.1.2-24].</summary>
    public static bool TryWrite(PacketWriter writer, Transmission next, Terms terms, TimeSpan now)
    {
        var (message, qos, retain, identifiers, _) = next.Publish;
        var isV5 = terms.Version == ProtocolVersion.V5;
        var isNew = false;
        var start = writer.Length;
        var alias = isV5 ? terms.Aliases.Find(message.Topic, out isNew) : (ushort)0;
        new PublishPacket
        {
            Topic = alias == 0 || isNew ? message.Topic : "",
            PacketId = next.PacketId,
            Qos = qos,
            Dup = next.Dup,
            Retain = retain,
            Properties = isV5 ? PropertiesOf(message, alias, now) : default,
            Identifiers = identifiers,
            Payload = new ReadOnlySequence<byte>(message.Payload),
        }.Write(writer, terms.Version);
        if (writer.Length - start <= terms.MaximumPacketSize)
            return true;
        writer.CutTo(start);
        if (isNew)
            terms.Aliases.ForgetLast(message.Topic);
        return false;
    }

    private static Properties PropertiesOf(Message message, ushort alias, TimeSpan now)
    {
        if (alias == 0 && message.ExpiresAt is null)
            return message.Properties;
        Span<Property> own = new Property[2];
        var count = 0;
        if (message.ExpiresAt is { } end)
            own[count++] = new Property(PropertyId.MessageExpiryInterval, (uint)Math.Ceiling((end - now).TotalSeconds)); // [MQTT-3.3.2-6]
        if (alias > 0)
            own[count++] = new Property(PropertyId.TopicAlias, alias);
        return message.Properties.After(own[..count]);
    }
}
