using System.Net;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>How a broker is to be.</summary>
public sealed record BrokerOptions
{
    /// <summary>Where it listens.</summary>
    public required IReadOnlyList<ListenerOptions> Listeners { get; init; }

    /// <summary>Web pages that may connect over WebSocket, beside those of the host that the browser has asked for.</summary>
    public IReadOnlyList<WebOrigin> WebOrigins { get; init; } = [];

    /// <summary>
    /// Networks of proxies that say for whom they connect (PROXY protocol, version 1 or 2): from there it has to come before anything else, from others it may not come.
    /// Not at listeners for clients of the host's own process.
    /// </summary>
    public IReadOnlyList<IPNetwork> Proxies { get; init; } = [];

    /// <summary>
    /// Of which topics the host completes the messages, from <see cref="MqttBroker.Incoming"/>; what it says of a topic never changes. Null for none: then each
    /// message is complete as soon as it is in the queues of its subscribers.
    /// </summary>
    public Func<string, bool>? Holds { get; init; }

    /// <summary>The QoS 2 identifiers that the host has stored, by client identifier, as an earlier process handed them over.</summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<ushort>> ReceivedIds { get; init; } = new Dictionary<string, IReadOnlyCollection<ushort>>(StringComparer.Ordinal);

    /// <summary>Where sessions, their queues and retained messages are kept, so that they outlive the process; null for nowhere.</summary>
    public IBrokerStore? Store { get; init; }

    /// <summary>Decides who may connect and what they may do; null for everybody and everything. The token is cancelled when the client has gone.</summary>
    public Func<Login, CancellationToken, ValueTask<LoginAnswer>>? Authenticate { get; init; }

    /// <summary>
    /// What a client may do whose session or will comes from an earlier process. It gets the user, as <see cref="LoginAnswer.Accept"/> got it, or null if nobody knows, and the client identifier.
    /// Null: such clients may do everything.
    /// </summary>
    public Func<string?, string, Permissions>? PermissionsOf { get; init; }

    /// <summary>Told of what is refused or dropped, on any thread and in the middle of things: it must be quick and call nothing of the broker's. Null for nobody.</summary>
    public Action<Refusal>? Refused { get; init; }

    /// <summary>Told of a queue that comes to a level at which it was not since it was last less than a quarter full; in the same way. Null for nobody.</summary>
    public Action<QueueFill>? Filling { get; init; }

    /// <summary>What clients may take up.</summary>
    public BrokerLimits Limits { get; init; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
