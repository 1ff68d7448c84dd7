using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Feeds;

/// <summary>Something that came from the broker and wants to be made durable, then acknowledged.</summary>
internal readonly record struct Delivery
{
    /// <summary>What it is.</summary>
    public required DeliveryKind Kind { get; init; }

    /// <summary>The concrete topic of a message.</summary>
    public string Topic { get; init; }

    /// <summary>The bytes of a message.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>When a message arrived at the socket, in milliseconds since the Unix epoch.</summary>
    public long Arrived { get; init; }

    /// <summary>The message came with DUP set.</summary>
    public bool Dup { get; init; }

    /// <summary>Stands for the acknowledgement that is owed.</summary>
    public Ticket Ticket { get; init; }

    /// <summary>What has to be stored together with it.</summary>
    public IdChange IdChange { get; init; }

    /// <summary>Whose session that changes, at the embedded broker; null for our own.</summary>
    public string? Client { get; init; }

    /// <summary>The filter that the session is subscribed to from now on; null for no change.</summary>
    public string? Subscription { get; init; }

    /// <summary>It can be refused, because its publisher expects no answer or can be told (<see cref="DeliveryKind.Refused"/>).</summary>
    public bool CanBeRefused { get; init; }

    /// <summary>What it takes of memory, but for a constant.</summary>
    public long Size => Payload.Length + (sizeof(char) * (long)(Topic?.Length ?? 0));
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
