using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Feeds;

/// <summary>Something that came from a broker, or from a client of the embedded one, and wants to be made durable, then acknowledged.</summary>
internal readonly record struct Delivery
{
    /// <summary>What it is.</summary>
    public required DeliveryKind Kind { get; init; }

    /// <summary>What came: its message, and the acknowledgement that is owed for it.</summary>
    public Incoming Incoming { get; init; }

    /// <summary>Whose session that changes, at the embedded broker; null for our own.</summary>
    public string? Client { get; init; }

    /// <summary>The filter that our session is subscribed to from now on; null for no change.</summary>
    public string? Subscription { get; init; }

    /// <summary>The concrete topic of a message.</summary>
    public string Topic => Incoming.Message?.Topic ?? "";

    /// <summary>The bytes of a message.</summary>
    public ReadOnlyMemory<byte> Payload => Incoming.Message?.Payload ?? default;

    /// <summary>When a message arrived at the socket, in milliseconds since the Unix epoch.</summary>
    public long Arrived => Incoming.Received.ToUnixTimeMilliseconds();

    /// <summary>The message came with DUP set.</summary>
    public bool Dup => Incoming.Dup;

    /// <summary>What has to be stored together with it.</summary>
    public IdChange IdChange => Incoming.IdChange;

    /// <summary>It can be refused, because its publisher expects no answer or can be told (<see cref="DeliveryKind.Refused"/>).</summary>
    public bool CanBeRefused => Incoming.CanBeRefused;
}

/// <summary>What a delivery is.</summary>
internal enum DeliveryKind
{
    /// <summary>A message.</summary>
    Message,

    /// <summary>A message that was delivered before: nothing to do but to acknowledge it.</summary>
    Redelivery,

    /// <summary>A message that matches no filter in force: nothing to do but to acknowledge it.</summary>
    Surplus,

    /// <summary>A message that is refused: it is not stored, and its publisher is told so if it expects an answer.</summary>
    Refused,

    /// <summary>No message: only a change that has to be stored.</summary>
    SessionChange,
}
