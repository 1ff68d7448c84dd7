using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Delivery;

/// <summary>What the receiver says of a PUBLISH or PUBREL.</summary>
/// <param name="IsNew">PUBLISH: deliver it; false for a redelivery of what was delivered before. PUBREL: the identifier was known.</param>
/// <param name="Ticket">To be completed by the host once its work is durable; the default value at QoS 0, where nothing is owed.</param>
/// <param name="Change">What the host has to store together with that work.</param>
public readonly record struct Receipt(bool IsNew, Ticket Ticket, IdChange Change);

/// <summary>A change to the received QoS 2 identifiers, which have to outlive the process.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="PacketId">The identifier; 0 where all of them, or none, are meant.</param>
public readonly record struct IdChange(IdChangeKind Kind, ushort PacketId);

/// <summary>What happened to a received QoS 2 identifier.</summary>
public enum IdChangeKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is in use from now on.</summary>
    Received,

    /// <summary>It is free again.</summary>
    Released,

    /// <summary>All of them are free: the sender has lost the session.</summary>
    AllForgotten,
}

/// <summary>Stands for one acknowledgement that is owed on one connection.</summary>
public readonly record struct Ticket(int Connection, long Number);

/// <summary>The packet that acknowledges.</summary>
public enum AckKind
{
    /// <summary>Ends QoS 1.</summary>
    PubAck,

    /// <summary>Answers a QoS 2 PUBLISH.</summary>
    PubRec,

    /// <summary>Answers PUBREL and ends QoS 2.</summary>
    PubComp,
}

/// <summary>An acknowledgement that may go out now.</summary>
/// <param name="Kind">Which packet.</param>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Found">False for a PUBCOMP whose identifier was unknown (reason 0x92 in MQTT 5.0).</param>
public readonly record struct Acknowledgement(AckKind Kind, ushort PacketId, bool Found)
{
    /// <summary>The host has refused the message (reason 0x97 in MQTT 5.0).</summary>
    public bool IsRefused { get; init; }

    /// <summary>As it stands on the wire.</summary>
    internal PublishAckPacket ToPacket()
    {
        var type = Kind switch
        {
            AckKind.PubAck => PacketType.PubAck,
            AckKind.PubRec => PacketType.PubRec,
            _ => PacketType.PubComp,
        };
        return new PublishAckPacket(type, PacketId, IsRefused ? ReasonCode.QuotaExceeded : Found ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound);
    }
}
