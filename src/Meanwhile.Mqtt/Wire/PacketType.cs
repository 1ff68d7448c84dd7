namespace Meanwhile.Mqtt.Wire;

/// <summary>The type of a packet: the upper half of its first byte.</summary>
public enum PacketType : byte
{
    /// <summary>Forbidden on the wire; stands for the will inside CONNECT where places of properties are meant.</summary>
    Reserved = 0,

    /// <summary>Client to server: asks for a connection.</summary>
    Connect = 1,

    /// <summary>Server to client: the answer.</summary>
    ConnAck = 2,

    /// <summary>A message.</summary>
    Publish = 3,

    /// <summary>Ends QoS 1.</summary>
    PubAck = 4,

    /// <summary>QoS 2, part 1.</summary>
    PubRec = 5,

    /// <summary>QoS 2, part 2.</summary>
    PubRel = 6,

    /// <summary>QoS 2, part 3.</summary>
    PubComp = 7,

    /// <summary>Client to server: asks for messages.</summary>
    Subscribe = 8,

    /// <summary>Server to client: the answer.</summary>
    SubAck = 9,

    /// <summary>Client to server: asks for no more of them.</summary>
    Unsubscribe = 10,

    /// <summary>Server to client: the answer.</summary>
    UnsubAck = 11,

    /// <summary>Client to server: a sign of life.</summary>
    PingReq = 12,

    /// <summary>Server to client: the answer.</summary>
    PingResp = 13,

    /// <summary>Takes leave; from the server in 5.0 only.</summary>
    Disconnect = 14,

    /// <summary>Extended authentication, 5.0 only.</summary>
    Auth = 15,
}
