namespace Meanwhile.Mqtt.Wire;

/// <summary>UNSUBSCRIBE: a client asks for no more messages.</summary>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Filters">Of which subscriptions: at least one [MQTT-3.10.3-2].</param>
/// <param name="Properties">Its properties.</param>
public sealed record UnsubscribePacket(ushort PacketId, IReadOnlyList<string> Filters, Properties Properties = default)
{
    /// <summary>Reads one.</summary>
    /// <param name="frame">The packet.</param>
    /// <param name="version">The version.</param>
    /// <param name="mostFilters">How many filters it may have.</param>
    public static UnsubscribePacket Read(Frame frame, ProtocolVersion version, int mostFilters = int.MaxValue)
    {
        var reader = new PacketReader(frame.Body);
        var packetId = reader.ReadPacketId();
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, PacketType.Unsubscribe) : default;
        var filters = new List<string>();
        do
        {
            TopicFilters.CheckCount(filters.Count + 1, mostFilters);
            filters.Add(TopicFilters.Read(ref reader));
        }
        while (!reader.IsAtEnd); // [MQTT-3.10.3-2]: one at least
        return new UnsubscribePacket(packetId, filters, properties);
    }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var mark = writer.Begin(PacketType.Unsubscribe, flags: 2); // [MQTT-3.10.1-1]
        writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5)
            Properties.Write(writer);
        foreach (var filter in Filters)
            writer.WriteText(filter);
        writer.End(mark);
    }
}
