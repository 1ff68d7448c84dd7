using System.Net.Security;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>Where the server is, and what a client is to it.</summary>
public sealed record ClientOptions
{
    /// <summary>mqtt://, mqtts://, ws:// or wss:// with a host; a port where it is not 1883, 8883, 80 or 443.</summary>
    public required Uri Server { get; init; }

    /// <summary>For mqtts:// and wss://: certificates of the client's own, and who is trusted. Null for what this machine trusts.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Names the session; empty when the server is to choose.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>
    /// The session is this object's own: it begins with its first connection, and ends when it is disposed. False for a session that an earlier process may have begun and a later
    /// one goes on with.
    /// </summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>Seconds for which the server keeps the session while there is no connection. 3.1.1 knows no such time: it keeps it when this is <see cref="uint.MaxValue"/>.</summary>
    public uint SessionExpiry { get; init; }

    /// <summary>The QoS 2 identifiers of the session that the host has stored, as an earlier process handed them over.</summary>
    public IReadOnlyCollection<ushort> ReceivedIds { get; init; } = [];

    /// <summary>Null for none.</summary>
    public string? UserName { get; init; }

    /// <summary>Null for none.</summary>
    public ReadOnlyMemory<byte>? Password { get; init; }

    /// <summary>What the server publishes when the connection ends without a farewell; null for nothing.</summary>
    public Will? Will { get; init; }

    /// <summary>The longest silence, on both sides; the server may ask for another one.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many messages at QoS 1 and 2 the server may send before the first is acknowledged.</summary>
    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>The largest packet that is taken, in bytes.</summary>
    public int MaximumPacketSize { get; init; } = Frame.LargestSize;

    /// <summary>How many topics the server may replace by a number.</summary>
    public ushort TopicAliasMaximum { get; init; }

    /// <summary>What is spoken; null for 5.0, and 3.1.1 with a server that shows that it knows no more.</summary>
    public ProtocolVersion? Version { get; init; }

    /// <summary>Within which the server has to accept a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Run on each connection that is accepted, up to its first wait before anything is sent there, and from then on at the same time as its packets: the place to subscribe. The token is cancelled when the connection ends;
    /// what it throws otherwise ends <see cref="MqttClient.RunAsync"/>. Null for nothing.
    /// </summary>
    public Func<MqttClient, Accepted, CancellationToken, Task>? Connected { get; init; }

    /// <summary>Told of each attempt that has failed and each connection that has ended, before the next one; what it throws ends <see cref="MqttClient.RunAsync"/>. Null for nobody.</summary>
    public Func<MqttClientException, CancellationToken, Task>? Failed { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>A connection that the server has accepted.</summary>
/// <param name="Version">What is spoken.</param>
/// <param name="SessionPresent">The server goes on with the session that there was.</param>
/// <param name="Properties">What the server says of itself; none before 5.0.</param>
public readonly record struct Accepted(ProtocolVersion Version, bool SessionPresent, Properties Properties);
