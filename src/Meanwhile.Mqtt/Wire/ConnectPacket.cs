using System.Buffers;

namespace Meanwhile.Mqtt.Wire;

/// <summary>CONNECT: a client asks for a connection.</summary>
public sealed record ConnectPacket
{
    private const string Protocol = "MQTT";
    private const byte HasUserName = 0x80;
    private const byte HasPassword = 0x40;
    private const byte WillRetain = 0x20;
    private const byte HasWill = 0x04;
    private const byte WantsCleanStart = 0x02;
    private const byte ReservedFlag = 0x01;

    /// <summary>The protocol that is spoken from here on.</summary>
    public required ProtocolVersion Version { get; init; }

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

    /// <summary>Reads one.</summary>
    public static ConnectPacket Read(Frame frame)
    {
        var reader = new PacketReader(frame.Body);
        if (reader.ReadText() != Protocol)
            throw new ProtocolException(ReasonCode.UnsupportedProtocolVersion, "the protocol's name is not MQTT"); // [MQTT-3.1.2-1]
        var level = reader.ReadByte();
        if (level is not ((byte)ProtocolVersion.V311 or (byte)ProtocolVersion.V5))
            throw new ProtocolException(ReasonCode.UnsupportedProtocolVersion, $"protocol level {level}"); // [MQTT-3.1.2-2]
        var version = (ProtocolVersion)level;
        var flags = reader.ReadByte();
        CheckFlags(flags, version);
        var keepAlive = reader.ReadUInt16();
        var properties = version == ProtocolVersion.V5 ? Properties.Read(ref reader, PacketType.Connect) : default;
        if (properties.Items.ToArray().Any(p => p.Id == PropertyId.AuthenticationData) && properties.Text(PropertyId.AuthenticationMethod) is null)
            throw ProtocolException.Error("authentication data without a method"); // [MQTT-5.0, 3.1.2.11.10]
        var connect = new ConnectPacket // Payload fields in this order [MQTT-3.1.3-1].
        {
            Version = version,
            CleanStart = (flags & WantsCleanStart) != 0,
            KeepAlive = keepAlive,
            Properties = properties,
            ClientId = reader.ReadName(),
            Will = (flags & HasWill) != 0 ? Will.Read(ref reader, (flags >> 3) & 3, (flags & WillRetain) != 0, version) : null,
            UserName = (flags & HasUserName) != 0 ? reader.ReadName() : null,
            Password = (flags & HasPassword) != 0 ? (ReadOnlyMemory<byte>?)reader.ReadBinary().ToArray() : null,
        };
        reader.End(PacketType.Connect);
        return connect;
    }

    /// <summary>The level of the protocol that one asks for, whatever its name and whatever follows.</summary>
    public static int LevelOf(Frame frame)
    {
        var reader = new PacketReader(frame.Body);
        reader.ReadBinary();
        return reader.ReadByte();
    }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer)
    {
        var mark = writer.Begin(PacketType.Connect);
        writer.WriteText(Protocol);
        writer.WriteByte((byte)Version);
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

    private static void CheckFlags(byte flags, ProtocolVersion version)
    {
        if ((flags & ReservedFlag) != 0)
            throw ProtocolException.Malformed("the reserved flag of Connect"); // [MQTT-3.1.2-3]
        if ((flags & HasWill) == 0 && (flags & (WillRetain | 0x18)) != 0)
            throw ProtocolException.Malformed("will flags without a will"); // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
        if ((flags & 0x18) == 0x18)
            throw ProtocolException.Malformed("will QoS 3"); // [MQTT-3.1.2-12]
        if (version == ProtocolVersion.V311 && (flags & HasUserName) == 0 && (flags & HasPassword) != 0)
            throw ProtocolException.Malformed("a password without a user name"); // [MQTT-3.1.2-22] of 3.1.1
    }
}
