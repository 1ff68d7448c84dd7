using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>A client with its session, and what the model says of it.</summary>
internal sealed class ModelClient(string id, BrokerParts parts)
{
    public string Id { get; } = id;

    public ClientSession Session { get; } = new(id, new SessionLimits(100, 0, 10_000, long.MaxValue), parts.Journal, parts.Drops, [], []);

    public Dictionary<string, (SubscriptionRequest Request, uint? Identifier)> Subscriptions { get; } = [];

    /// <summary>What the model says it is due, in order.</summary>
    public List<Due> Due { get; } = [];

    public List<string> Acknowledged { get; } = [];

    public bool IsHere => Session.IsConnected;
}

/// <summary>A message that a client is to get.</summary>
internal sealed record Due(string Topic, int Qos, bool Retain, string Payload, TimeSpan? ExpiresAt, string Identifiers)
{
    public string At(TimeSpan now) => $"{Topic} at QoS {Qos}, {(Retain ? "retained" : "new")}, for {Identifiers}, {(ExpiresAt - now)?.TotalSeconds} s: {Payload}";
}
