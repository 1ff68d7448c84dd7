namespace Meanwhile.Mqtt.Wire;

/// <summary>The identifier of a property of MQTT 5.0 [MQTT-5.0, 2.2.2.2].</summary>
public enum PropertyId : byte
{
    /// <summary>1 when the payload is UTF-8.</summary>
    PayloadFormatIndicator = 0x01,

    /// <summary>Seconds after which a message is worth nothing.</summary>
    MessageExpiryInterval = 0x02,

    /// <summary>What the payload is.</summary>
    ContentType = 0x03,

    /// <summary>Where an answer is expected.</summary>
    ResponseTopic = 0x08,

    /// <summary>Which request an answer belongs to.</summary>
    CorrelationData = 0x09,

    /// <summary>Which subscription a message is delivered for.</summary>
    SubscriptionIdentifier = 0x0B,

    /// <summary>Seconds that a session outlives its connection.</summary>
    SessionExpiryInterval = 0x11,

    /// <summary>The client identifier that the server chose.</summary>
    AssignedClientIdentifier = 0x12,

    /// <summary>The keep alive that the server asks for.</summary>
    ServerKeepAlive = 0x13,

    /// <summary>Of extended authentication.</summary>
    AuthenticationMethod = 0x15,

    /// <summary>Of extended authentication.</summary>
    AuthenticationData = 0x16,

    /// <summary>0 when the client wants no reason strings.</summary>
    RequestProblemInformation = 0x17,

    /// <summary>Seconds to wait before the will is published.</summary>
    WillDelayInterval = 0x18,

    /// <summary>1 when the client asks for Response Information.</summary>
    RequestResponseInformation = 0x19,

    /// <summary>A hint for response topics.</summary>
    ResponseInformation = 0x1A,

    /// <summary>Another server.</summary>
    ServerReference = 0x1C,

    /// <summary>The reason in words.</summary>
    ReasonString = 0x1F,

    /// <summary>How many messages may be unacknowledged.</summary>
    ReceiveMaximum = 0x21,

    /// <summary>The highest topic alias.</summary>
    TopicAliasMaximum = 0x22,

    /// <summary>Stands for a topic.</summary>
    TopicAlias = 0x23,

    /// <summary>The highest QoS of the server.</summary>
    MaximumQos = 0x24,

    /// <summary>0 when the server has no retained messages.</summary>
    RetainAvailable = 0x25,

    /// <summary>A name and a value of the user's.</summary>
    UserProperty = 0x26,

    /// <summary>The largest packet that is accepted.</summary>
    MaximumPacketSize = 0x27,

    /// <summary>0 when the server has no wildcards.</summary>
    WildcardSubscriptionAvailable = 0x28,

    /// <summary>0 when the server has no subscription identifiers.</summary>
    SubscriptionIdentifierAvailable = 0x29,

    /// <summary>0 when the server has no shared subscriptions.</summary>
    SharedSubscriptionAvailable = 0x2A,
}
