using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>What a client asked for in CONNECT, for as long as that connection lasts. 3.1.1 has no words for most of it: defaults stand in.</summary>
internal sealed class Terms
{
    // Aliases cost memory here; no more than this, whatever the client takes.
    private const int MostSentAliases = 256;

    /// <summary>Takes them from CONNECT.</summary>
    /// <param name="connect">The packet.</param>
    /// <param name="mostInFlight">Towards a client that names no Receive Maximum.</param>
    public Terms(ConnectPacket connect, int mostInFlight)
    {
        var properties = connect.Properties;
        Version = connect.Version;
        ReceiveMaximum = (int)(properties.Number(PropertyId.ReceiveMaximum) ?? (uint)mostInFlight);
        MaximumPacketSize = properties.Number(PropertyId.MaximumPacketSize) ?? uint.MaxValue;
        Aliases = new SentAliases((int)Math.Min(properties.Number(PropertyId.TopicAliasMaximum) ?? 0, MostSentAliases));
        SessionExpiry = Version == ProtocolVersion.V311 ? (connect.CleanStart ? 0 : uint.MaxValue) : properties.Number(PropertyId.SessionExpiryInterval) ?? 0;
    }

    /// <summary>The version.</summary>
    public ProtocolVersion Version { get; }

    /// <summary>How many messages it takes unacknowledged.</summary>
    public int ReceiveMaximum { get; }

    /// <summary>The largest packet it takes.</summary>
    public uint MaximumPacketSize { get; }

    /// <summary>The aliases it has been told.</summary>
    public SentAliases Aliases { get; }

    /// <summary>Seconds that the session outlives the connection; the highest value for ever.</summary>
    public uint SessionExpiry { get; set; }
}
