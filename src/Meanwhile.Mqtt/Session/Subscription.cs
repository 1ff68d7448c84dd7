using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>One subscription of one session.</summary>
/// <param name="Session">Whose.</param>
/// <param name="Filter">As it was asked for, $share included.</param>
/// <param name="Qos">The highest QoS to be delivered.</param>
/// <param name="NoLocal">Not what this session publishes itself [MQTT-3.8.3-3].</param>
/// <param name="RetainAsPublished">Messages keep their RETAIN flag [MQTT-3.3.1-12].</param>
/// <param name="Identifiers">What the client calls it; null for nothing.</param>
internal sealed record Subscription(ClientSession Session, string Filter, int Qos, bool NoLocal, bool RetainAsPublished, uint[]? Identifiers)
{
    /// <summary>What a client asked for.</summary>
    /// <param name="session">Whose.</param>
    /// <param name="request">What.</param>
    /// <param name="identifier">What the client calls it; null for nothing.</param>
    public static Subscription Of(ClientSession session, SubscriptionRequest request, uint? identifier) =>
        new(session, request.Filter, request.Qos, request.NoLocal, request.RetainAsPublished, identifier is { } id ? [id] : null);

    /// <summary>It is shared with others.</summary>
    public bool IsShared { get; } = Topic.TrySplitShare(Filter, out _, out _);

    /// <summary>The copy of a message that is due for it.</summary>
    public Outgoing CopyOf(Message message) => new(message, Math.Min(message.Qos, Qos), message.Retain && RetainAsPublished, Identifiers); // [MQTT-3.3.1-12], [MQTT-3.3.1-13], [MQTT-3.8.4-8]
}
