namespace Meanwhile.Mqtt.Wire;

/// <summary>SUBSCRIBE: a client asks for messages.</summary>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Requests">What it asks for: at least one filter [MQTT-3.8.3-2].</param>
/// <param name="Properties">Its properties.</param>
public sealed record SubscribePacket(ushort PacketId, IReadOnlyList<SubscriptionRequest> Requests, Properties Properties = default)
{
    /// <summary>Reads one.</summary>
    /// <param name="frame">The packet.</param>
    /// <param name="version">The version.</param>
    /// <param name="mostFilters">How many filters it may have.</param>
    public static SubscribePacket Read(Frame frame, ProtocolVersion version, int mostFilters = int.MaxValue)
    {
        var reader = new PacketReader(frame.Body);
        var packetId = reader.ReadPacketId();
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, PacketType.Subscribe) : default;
        var requests = new List<SubscriptionRequest>();
        do
        {
            TopicFilters.CheckCount(requests.Count + 1, mostFilters);
            requests.Add(SubscriptionRequest.Read(ref reader, version));
        }
        while (!reader.IsAtEnd); // [MQTT-3.8.3-2]: one at least
        return new SubscribePacket(packetId, requests, properties);
    }

    /// <summary>What a bridge means by it, which before 5.0 it could not say: RETAIN as published, and nothing back of what it sends.</summary>
    internal SubscribePacket OfBridge() => this with { Requests = [.. Requests.Select(request => request.OfBridge())] };

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version)
    {
        var mark = writer.Begin(PacketType.Subscribe, flags: 2); // [MQTT-3.8.1-1]
        writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5)
            Properties.Write(writer);
        foreach (var request in Requests)
            request.Write(writer, version);
        writer.End(mark);
    }
}
