namespace Meanwhile.Mqtt.Wire;

/// <summary>What became of a request. The same value is the error inside and the byte on the wire [MQTT-5.0, 2.4].</summary>
public enum ReasonCode : byte
{
    /// <summary>Done; also normal disconnection, and granted QoS 0.</summary>
    Success = 0x00,

    /// <summary>Granted QoS 1.</summary>
    GrantedQos1 = 0x01,

    /// <summary>Granted QoS 2.</summary>
    GrantedQos2 = 0x02,

    /// <summary>The client leaves, and wants its will published all the same.</summary>
    DisconnectWithWill = 0x04,

    /// <summary>Accepted, but nobody has subscribed to it.</summary>
    NoMatchingSubscribers = 0x10,

    /// <summary>There was no such subscription.</summary>
    NoSubscriptionExisted = 0x11,

    /// <summary>Authentication goes on.</summary>
    ContinueAuthentication = 0x18,

    /// <summary>Authenticate again.</summary>
    Reauthenticate = 0x19,

    /// <summary>No closer reason.</summary>
    UnspecifiedError = 0x80,

    /// <summary>The bytes cannot be understood.</summary>
    MalformedPacket = 0x81,

    /// <summary>The bytes can be understood, but are not allowed here.</summary>
    ProtocolError = 0x82,

    /// <summary>Valid, but not accepted by this implementation.</summary>
    ImplementationSpecificError = 0x83,

    /// <summary>Another version than 3.1, 3.1.1 and 5.0.</summary>
    UnsupportedProtocolVersion = 0x84,

    /// <summary>The client identifier is not accepted.</summary>
    ClientIdentifierNotValid = 0x85,

    /// <summary>The user name or password is not accepted.</summary>
    BadUserNameOrPassword = 0x86,

    /// <summary>Not allowed to do that.</summary>
    NotAuthorized = 0x87,

    /// <summary>The server is not available.</summary>
    ServerUnavailable = 0x88,

    /// <summary>Try again later.</summary>
    ServerBusy = 0x89,

    /// <summary>Locked out.</summary>
    Banned = 0x8A,

    /// <summary>The server is being stopped.</summary>
    ServerShuttingDown = 0x8B,

    /// <summary>An authentication method that is not offered.</summary>
    BadAuthenticationMethod = 0x8C,

    /// <summary>Nothing came for one and a half times the keep alive.</summary>
    KeepAliveTimeout = 0x8D,

    /// <summary>Another connection uses the client identifier now.</summary>
    SessionTakenOver = 0x8E,

    /// <summary>The topic filter is not accepted.</summary>
    TopicFilterInvalid = 0x8F,

    /// <summary>The topic name is not accepted.</summary>
    TopicNameInvalid = 0x90,

    /// <summary>The packet identifier is in use.</summary>
    PacketIdentifierInUse = 0x91,

    /// <summary>The packet identifier is not known.</summary>
    PacketIdentifierNotFound = 0x92,

    /// <summary>More unacknowledged messages than Receive Maximum.</summary>
    ReceiveMaximumExceeded = 0x93,

    /// <summary>A topic alias beyond the maximum, or one that stands for nothing.</summary>
    TopicAliasInvalid = 0x94,

    /// <summary>Larger than the Maximum Packet Size.</summary>
    PacketTooLarge = 0x95,

    /// <summary>Too many messages in too short a time.</summary>
    MessageRateTooHigh = 0x96,

    /// <summary>A limit of this server is reached.</summary>
    QuotaExceeded = 0x97,

    /// <summary>An administrator ended it.</summary>
    AdministrativeAction = 0x98,

    /// <summary>The payload is not what its format indicator says.</summary>
    PayloadFormatInvalid = 0x99,

    /// <summary>Retained messages are not supported.</summary>
    RetainNotSupported = 0x9A,

    /// <summary>That QoS is not supported.</summary>
    QosNotSupported = 0x9B,

    /// <summary>Use another server for now.</summary>
    UseAnotherServer = 0x9C,

    /// <summary>Use another server for good.</summary>
    ServerMoved = 0x9D,

    /// <summary>Shared subscriptions are not supported.</summary>
    SharedSubscriptionsNotSupported = 0x9E,

    /// <summary>Too many connections in too short a time.</summary>
    ConnectionRateExceeded = 0x9F,

    /// <summary>The longest time for a connection is over.</summary>
    MaximumConnectTime = 0xA0,

    /// <summary>Subscription identifiers are not supported.</summary>
    SubscriptionIdentifiersNotSupported = 0xA1,

    /// <summary>Wildcards in filters are not supported.</summary>
    WildcardSubscriptionsNotSupported = 0xA2,
}
