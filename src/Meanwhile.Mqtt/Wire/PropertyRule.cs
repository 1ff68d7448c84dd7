using static Meanwhile.Mqtt.Wire.PacketType;

namespace Meanwhile.Mqtt.Wire;

/// <summary>How a property is written.</summary>
internal enum PropertyType
{
    Unknown,
    Byte,
    TwoByte,
    FourByte,
    VariableByte,
    Text,
    TextPair,
    Binary,
}

/// <summary>The row of a property in table 2-4 of MQTT 5.0: how it is written, which values it may have, and where it may stand.</summary>
internal readonly record struct PropertyRule(PropertyType Type, uint Least, uint Most, int Places)
{
    private static readonly PropertyRule[] Table = BuildTable();

    // The bit of the will's properties, which stand inside CONNECT.
    private const PacketType Will = Reserved;

    /// <summary>The rule of an identifier; of type Unknown where there is none.</summary>
    public static PropertyRule Of(uint id) => id < Table.Length ? Table[id] : default;

    /// <summary>Whether it may stand in a packet.</summary>
    public bool IsAllowedIn(PacketType place) => (Places & (1 << (int)place)) != 0;

    private static PropertyRule[] BuildTable()
    {
        var table = new PropertyRule[(int)PropertyId.SharedSubscriptionAvailable + 1];
        PropertyRule Flag(params ReadOnlySpan<PacketType> places) => new(PropertyType.Byte, 0, 1, Bits(places));
        PropertyRule Number(PropertyType type, uint least, params ReadOnlySpan<PacketType> places) => new(type, least, uint.MaxValue, Bits(places));
        PropertyRule Other(PropertyType type, params ReadOnlySpan<PacketType> places) => new(type, 0, 0, Bits(places));

        table[(int)PropertyId.PayloadFormatIndicator] = Flag(Publish, Will);
        table[(int)PropertyId.MessageExpiryInterval] = Number(PropertyType.FourByte, 0, Publish, Will);
        table[(int)PropertyId.ContentType] = Other(PropertyType.Text, Publish, Will);
        table[(int)PropertyId.ResponseTopic] = Other(PropertyType.Text, Publish, Will);
        table[(int)PropertyId.CorrelationData] = Other(PropertyType.Binary, Publish, Will);
        table[(int)PropertyId.SubscriptionIdentifier] = Number(PropertyType.VariableByte, 1, Publish, Subscribe);
        table[(int)PropertyId.SessionExpiryInterval] = Number(PropertyType.FourByte, 0, Connect, ConnAck, Disconnect);
        table[(int)PropertyId.AssignedClientIdentifier] = Other(PropertyType.Text, ConnAck);
        table[(int)PropertyId.ServerKeepAlive] = Number(PropertyType.TwoByte, 0, ConnAck);
        table[(int)PropertyId.AuthenticationMethod] = Other(PropertyType.Text, Connect, ConnAck, Auth);
        table[(int)PropertyId.AuthenticationData] = Other(PropertyType.Binary, Connect, ConnAck, Auth);
        table[(int)PropertyId.RequestProblemInformation] = Flag(Connect);
        table[(int)PropertyId.WillDelayInterval] = Number(PropertyType.FourByte, 0, Will);
        table[(int)PropertyId.RequestResponseInformation] = Flag(Connect);
        table[(int)PropertyId.ResponseInformation] = Other(PropertyType.Text, ConnAck);
        table[(int)PropertyId.ServerReference] = Other(PropertyType.Text, ConnAck, Disconnect);
        table[(int)PropertyId.ReasonString] = Other(PropertyType.Text, ConnAck, PubAck, PubRec, PubRel, PubComp, SubAck, UnsubAck, Disconnect, Auth);
        table[(int)PropertyId.ReceiveMaximum] = Number(PropertyType.TwoByte, 1, Connect, ConnAck);
        table[(int)PropertyId.TopicAliasMaximum] = Number(PropertyType.TwoByte, 0, Connect, ConnAck);
        table[(int)PropertyId.TopicAlias] = Number(PropertyType.TwoByte, 1, Publish);
        table[(int)PropertyId.MaximumQos] = Flag(ConnAck);
        table[(int)PropertyId.RetainAvailable] = Flag(ConnAck);
        table[(int)PropertyId.UserProperty] = Other(PropertyType.TextPair,
            Connect, ConnAck, Publish, Will, PubAck, PubRec, PubRel, PubComp, Subscribe, SubAck, Unsubscribe, UnsubAck, Disconnect, Auth);
        table[(int)PropertyId.MaximumPacketSize] = Number(PropertyType.FourByte, 1, Connect, ConnAck);
        table[(int)PropertyId.WildcardSubscriptionAvailable] = Flag(ConnAck);
        table[(int)PropertyId.SubscriptionIdentifierAvailable] = Flag(ConnAck);
        table[(int)PropertyId.SharedSubscriptionAvailable] = Flag(ConnAck);
        return table;
    }

    private static int Bits(ReadOnlySpan<PacketType> places)
    {
        var bits = 0;
        foreach (var place in places)
            bits |= 1 << (int)place;
        return bits;
    }
}
