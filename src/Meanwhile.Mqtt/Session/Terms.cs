using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>What the other side of a connection has said that it takes, in CONNECT or CONNACK, for as long as that connection lasts. Before 5.0 there are no words for most of it: defaults stand in.</summary>
internal sealed class Terms
{
    // Aliases cost memory here; no more than this, whatever the client takes.
    private const int MostSentAliases = 256;

    private readonly uint _longestExpiry;

    /// <summary>Takes them from CONNECT.</summary>
    /// <param name="connect">The packet.</param>
    /// <param name="mostInFlight">Towards a client that names no Receive Maximum.</param>
    /// <param name="longestExpiry">Seconds that a session lives on without its client, at most.</param>
    public Terms(ConnectPacket connect, int mostInFlight, uint longestExpiry)
    {
        _longestExpiry = longestExpiry;
        var properties = connect.Properties;
        Version = connect.Version;
        IsBridge = connect.IsBridge;
        ReceiveMaximum = (int)(properties.Number(PropertyId.ReceiveMaximum) ?? (uint)mostInFlight);
        MaximumPacketSize = properties.Number(PropertyId.MaximumPacketSize) ?? uint.MaxValue;
        IsCurious = properties.Number(PropertyId.RequestProblemInformation) == 1;
        Aliases = new SentAliases((int)Math.Min(properties.Number(PropertyId.TopicAliasMaximum) ?? 0, MostSentAliases));
        SetSessionExpiry(Version != ProtocolVersion.V5 ? (connect.CleanStart ? 0 : uint.MaxValue) : properties.Number(PropertyId.SessionExpiryInterval) ?? 0);
    }

    /// <summary>Takes them from CONNACK, as a client.</summary>
    /// <param name="accepted">The packet.</param>
    /// <param name="version">In which it came.</param>
    /// <param name="mostInFlight">Towards a server that names no Receive Maximum.</param>
    public Terms(ConnAckPacket accepted, ProtocolVersion version, int mostInFlight)
    {
        Version = version;
        ReceiveMaximum = (int)(accepted.Properties.Number(PropertyId.ReceiveMaximum) ?? (uint)mostInFlight);
        MaximumPacketSize = accepted.Properties.Number(PropertyId.MaximumPacketSize) ?? uint.MaxValue;
        MaximumQos = (int)(accepted.Properties.Number(PropertyId.MaximumQos) ?? 2);
        TakesRetained = accepted.Properties.Number(PropertyId.RetainAvailable) != 0;
        Aliases = new SentAliases((int)Math.Min(accepted.Properties.Number(PropertyId.TopicAliasMaximum) ?? 0, MostSentAliases));
    }

    /// <summary>The version.</summary>
    public ProtocolVersion Version { get; }

    /// <summary>It is another broker's bridge.</summary>
    public bool IsBridge { get; }

    /// <summary>How many messages it takes unacknowledged.</summary>
    public int ReceiveMaximum { get; }

    /// <summary>The largest packet it takes.</summary>
    public uint MaximumPacketSize { get; }

    /// <summary>The highest QoS that a server takes.</summary>
    public int MaximumQos { get; } = 2;

    /// <summary>Whether a server takes messages that are to be kept.</summary>
    public bool TakesRetained { get; } = true;

    /// <summary>It asks for reasons in words. Those that say nothing of it get none, though they might [MQTT-3.1.2-29].</summary>
    public bool IsCurious { get; }

    /// <summary>The aliases it has been told.</summary>
    public SentAliases Aliases { get; }

    /// <summary>Seconds that the session outlives the connection.</summary>
    public uint SessionExpiry { get; private set; }

    /// <summary>Grants what the client asks for, up to the longest that there is [MQTT-5.0, 3.2.2.3.2].</summary>
    public void SetSessionExpiry(uint asked) => SessionExpiry = Math.Min(asked, _longestExpiry);
}
