using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Reads a packet of any type and writes it again.</summary>
internal static class AnyPacket
{
    /// <summary>Reads the packet; the result writes it.</summary>
    public static Action<PacketWriter> Read(Frame frame, ProtocolVersion version)
    {
        switch (frame.Type)
        {
            case PacketType.Connect:
                return ConnectPacket.Read(frame).Write;
            case PacketType.ConnAck:
                var connAck = ConnAckPacket.Read(frame, version);
                return writer => connAck.Write(writer, version);
            case PacketType.Publish:
                var publish = PublishPacket.Read(frame, version, new TopicCache());
                return writer => publish.Write(writer, version);
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                var ack = PublishAckPacket.Read(frame, version);
                return writer => ack.Write(writer, version);
            case PacketType.Subscribe:
                return writer => SubscribePacket.Read(frame, version).Write(writer, version);
            case PacketType.SubAck or PacketType.UnsubAck:
                return writer => SubAckPacket.Read(frame, version).Write(writer, version);
            case PacketType.Unsubscribe:
                return writer => UnsubscribePacket.Read(frame, version).Write(writer, version);
            case PacketType.PingReq or PacketType.PingResp:
                return PingPacket.Read(frame).Write;
            default:
                var disconnect = DisconnectPacket.Read(frame, version);
                return writer => disconnect.Write(writer, version);
        }
    }

    /// <summary>Reads all packets of a stream that came in one piece, and writes them again.</summary>
    public static byte[] ReadAndWrite(System.Buffers.ReadOnlySequence<byte> stream, ProtocolVersion version)
    {
        using var writer = new PacketWriter();
        while (Frame.TryRead(ref stream, int.MaxValue, version, out var frame))
            Read(frame, version)(writer);
        return writer.Written.ToArray();
    }
}
