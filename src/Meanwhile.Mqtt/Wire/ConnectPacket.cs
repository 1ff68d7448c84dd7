using System.Buffers;

namespace Meanwhile.Mqtt.Wire;

/// <summary>CONNECT: a client asks for a connection.</summary>
public sealed record ConnectPacket
{
    private const string Protocol = "MQTT";
    private const string OldProtocol = "MQIsdp"; // Of 3.1.
    private const byte PrivateBit = 0x80; // Of the level: the client is a bridge.
    private const byte HasUserName = 0x80;
    private const byte HasPassword = 0x40;
    private const byte WillRetain = 0x20;
    private const byte WillQos = 0x18;
    private const byte HasWill = 0x04;
    private const byte WantsCleanStart = 0x02;
    private const byte ReservedFlag = 0x01;

    /// <summary>The protocol that is spoken from here on.</summary>
    public required ProtocolVersion Version { get; init; }

    /// <summary>The client is a broker, as mosquitto's bridges say: it wants RETAIN as published, and nothing back of what it sends.</summary>
    public bool IsBridge { get; init; }

    /// <summary>Names the session; empty when the server is to choose.</summary>
    public required string ClientId { get; init; }

    /// <summary>Clean Start, or Clean Session in 3.1.1.</summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>Seconds between signs of life; 0 for none.</summary>
    public ushort KeepAlive { get; init; }

    /// <summary>What to publish when the client goes without leave.</summary>
    public Will? Will { get; init; }

    /// <summary>Who the client says it is.</summary>
    public string? UserName { get; init; }

    /// <summary>How it proves it.</summary>
    public ReadOnlyMemory<byte>? Password { get; init; }

    /// <summary>Its properties.</summary>
    public Properties Properties { get; init; }

    /// <summary>The memory it takes, about.</summary>
    internal int Size => Properties.Size + (2 * (ClientId.Length + (UserName?.Length ?? 0))) + (Password?.Length ?? 0) + (Will?.Size ?? 0);

    /// <summary>Reads one.</summary>
    public static ConnectPacket Read(Frame frame)
    {
        var reader = new PacketReader(frame.Body);
        var (version, isBridge) = ReadVersion(ref reader);
        var flags = reader.ReadByte();
        CheckFlags(flags, version);
        var keepAlive = reader.ReadUInt16();
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, PacketType.Connect) : default;
        if (properties.Has(PropertyId.AuthenticationData) && properties.Text(PropertyId.AuthenticationMethod) is null)
            throw ProtocolException.Error("authentication data without a method"); // [MQTT-5.0, 3.1.2.11.10]
        var connect = new ConnectPacket // Payload fields in this order [MQTT-3.1.3-1].
        {
            Version = version,
            IsBridge = isBridge,
            CleanStart = (flags & WantsCleanStart) != 0,
            KeepAlive = keepAlive,
            Properties = properties,
            ClientId = reader.ReadName(),
            Will = (flags & HasWill) != 0 ? Will.Read(ref reader, (flags >> 3) & 3, (flags & WillRetain) != 0, version) : null,
            UserName = IsThere(HasUserName, reader.IsAtEnd) ? reader.ReadName() : null,
            Password = IsThere(HasPassword, reader.IsAtEnd) ? (ReadOnlyMemory<byte>?)reader.ReadBinary().ToArray() : null,
        };
        reader.End(PacketType.Connect);
        return connect;

        // In 3.1 a name may be missing though its flag is set: the length of the packet counts more.
        bool IsThere(byte flag, bool isAtEnd) => (flags & flag) != 0 && (version != ProtocolVersion.V31 || !isAtEnd);
    }

    /// <summary>
    /// The form of the answer to one that cannot be understood, or whose version is not served; null for none. 3.1 and 3.1.1 have no words for what is wrong with CONNECT, nor for
    /// another name [MQTT-3.1.2-1], only for another level; what is newer than 5.0 is answered in its form [MQTT-3.1.2-2]. Only clients older than 5.0 set the private bit.
    /// </summary>
    public static ProtocolVersion? FormOfRefusal(Frame frame)
    {
        var reader = new PacketReader(frame.Body);
        var isOld = reader.ReadText() == OldProtocol;
        var level = reader.ReadByte();
        return (level & ~PrivateBit, isOld) switch
        {
            ((int)ProtocolVersion.V31, true) or ((int)ProtocolVersion.V311, false) => null,
            ((int)ProtocolVersion.V5, false) => ProtocolVersion.V5,
            (var other, _) => isOld || other < (int)ProtocolVersion.V311 || level >= PrivateBit ? ProtocolVersion.V311 : ProtocolVersion.V5,
        };
    }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer)
    {
        var mark = writer.Begin(PacketType.Connect);
        writer.WriteText(Version == ProtocolVersion.V31 ? OldProtocol : Protocol);
        writer.WriteByte((byte)((byte)Version | (IsBridge ? PrivateBit : 0)));
        writer.WriteByte((byte)((UserName is null ? 0 : HasUserName) | (Password is null ? 0 : HasPassword) | (CleanStart ? WantsCleanStart : 0)
            | (Will is null ? 0 : HasWill | (Will.Qos << 3) | (Will.Retain ? WillRetain : 0))));
        writer.WriteUInt16(KeepAlive);
        if (Version == ProtocolVersion.V5)
            Properties.Write(writer);
        writer.WriteText(ClientId);
        Will?.Write(writer, Version);
        if (UserName is not null)
            writer.WriteText(UserName);
        if (Password is { } password)
            writer.WriteBinary(password.Span);
        writer.End(mark);
    }

    private static (ProtocolVersion Version, bool IsBridge) ReadVersion(ref PacketReader reader)
    {
        var name = reader.ReadText();
        if (name is not (Protocol or OldProtocol))
            throw new ProtocolException(ReasonCode.UnsupportedProtocolVersion, "the protocol's name is neither MQTT nor MQIsdp"); // [MQTT-3.1.2-1]
        var level = reader.ReadByte();
        var version = (ProtocolVersion)(level & ~PrivateBit);
        var isServed = name == OldProtocol ? version == ProtocolVersion.V31 : version is ProtocolVersion.V311 or ProtocolVersion.V5;
        return isServed
            ? (version, level >= PrivateBit)
            : throw new ProtocolException(ReasonCode.UnsupportedProtocolVersion, $"{name} with protocol level {level}: expected MQTT with 4 or 5, or MQIsdp with 3"); // [MQTT-3.1.2-2]
    }

    private static void CheckFlags(byte flags, ProtocolVersion version)
    {
        if (version == ProtocolVersion.V31)
            flags &= (byte)((flags & HasWill) != 0 ? HasWill | WillQos : 0); // There, other flags mean nothing.
        if ((flags & WillQos) == WillQos)
            throw ProtocolException.Malformed("will QoS 3"); // [MQTT-3.1.2-12]
        if ((flags & ReservedFlag) != 0)
            throw ProtocolException.Malformed("the reserved flag of Connect"); // [MQTT-3.1.2-3]
        if ((flags & HasWill) == 0 && (flags & (WillRetain | WillQos)) != 0)
            throw ProtocolException.Malformed("will flags without a will"); // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
        if (version == ProtocolVersion.V311 && (flags & HasUserName) == 0 && (flags & HasPassword) != 0)
            throw ProtocolException.Malformed("a password without a user name"); // [MQTT-3.1.2-22] of 3.1.1
    }
}
