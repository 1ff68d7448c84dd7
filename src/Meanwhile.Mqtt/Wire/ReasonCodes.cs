namespace Meanwhile.Mqtt.Wire;

/// <summary>Which reason codes may stand in which packet, and their older form in MQTT 3.1.1.</summary>
internal static class ReasonCodes
{
    /// <summary>From here on a code is an error.</summary>
    public const ReasonCode FirstError = ReasonCode.UnspecifiedError;

    /// <summary>Reads a code of 5.0: one that does not belong into the packet is malformed [MQTT-3.4.2-1], [MQTT-3.14.2-1].</summary>
    public static ReasonCode Checked(byte code, PacketType type) => AllowedIn(type).Contains(code)
        ? (ReasonCode)code
        : throw new ProtocolException(ReasonCode.MalformedPacket, $"reason code 0x{code:X2} in {type}");

    /// <summary>The return code of a 3.1.1 CONNACK [MQTT-3.1.1, table 3.1].</summary>
    public static byte ToReturnCode(ReasonCode code) => code switch
    {
        ReasonCode.Success => 0,
        ReasonCode.UnsupportedProtocolVersion => 1,
        ReasonCode.ClientIdentifierNotValid => 2,
        ReasonCode.BadUserNameOrPassword => 4,
        ReasonCode.NotAuthorized or ReasonCode.Banned => 5,
        _ => 3,
    };

    /// <summary>The reason that a 3.1.1 return code stands for.</summary>
    public static ReasonCode FromReturnCode(byte code) => code switch
    {
        0 => ReasonCode.Success,
        1 => ReasonCode.UnsupportedProtocolVersion,
        2 => ReasonCode.ClientIdentifierNotValid,
        3 => ReasonCode.ServerUnavailable,
        4 => ReasonCode.BadUserNameOrPassword,
        5 => ReasonCode.NotAuthorized,
        _ => throw new ProtocolException(ReasonCode.MalformedPacket, $"return code {code} in ConnAck"),
    };

    private static ReadOnlySpan<byte> AllowedIn(PacketType type) => type switch
    {
        PacketType.ConnAck => [0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F],
        PacketType.PubAck or PacketType.PubRec => [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
        PacketType.PubRel or PacketType.PubComp => [0x00, 0x92],
        PacketType.SubAck => [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2],
        PacketType.UnsubAck => [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91],
        PacketType.Disconnect =>
        [
            0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D,
            0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
        ],
        PacketType.Auth => [0x00, 0x18, 0x19],
        _ => [],
    };
}
