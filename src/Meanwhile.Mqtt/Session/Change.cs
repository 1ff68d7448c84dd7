using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>A change to what a broker has promised to remember. Times are those of the broker's clock: since the Unix epoch.</summary>
public abstract record Change
{
    /// <summary>The memory that it takes until it is committed, beside its identifiers and numbers, in bytes, about.</summary>
    internal virtual long Size => 0;
}

/// <summary>A client is here, with a session that outlives its connection: a new one, or the one that it had.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Expiry">Seconds that the session lives on without its client.</param>
public sealed record SessionOpened(string ClientId, uint Expiry) : Change
{
    /// <summary>The user who owns it, as the host names it; null if nobody knows.</summary>
    public string? User { get; init; }
}

/// <summary>The client is gone, its session stays.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="ExpiresAt">When the session ends, unless the client comes back.</param>
/// <param name="LastSent">Messages up to this number may have been sent.</param>
/// <param name="Expiry">How long the session lives on, in seconds; null for as long as was said when it was opened.</param>
public sealed record SessionLeft(string ClientId, TimeSpan ExpiresAt, long LastSent, uint? Expiry = null) : Change;

/// <summary>A session is over, with everything that belonged to it.</summary>
/// <param name="ClientId">Whose.</param>
public sealed record SessionEnded(string ClientId) : Change;

/// <summary>A session has a subscription; one with the same filter is replaced.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Identifier">What the client calls it; null for nothing.</param>
public sealed record SubscriptionAdded(string ClientId, SubscriptionRequest Request, uint? Identifier) : Change
{
    internal override long Size => sizeof(char) * Request.Filter.Length;
}

/// <summary>A session has a subscription no more.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Filter">Which.</param>
public sealed record SubscriptionRemoved(string ClientId, string Filter) : Change
{
    internal override long Size => sizeof(char) * Filter.Length;
}

/// <summary>A message waits for a client.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Number">Names it within the session, and says its place there.</param>
/// <param name="Message">What.</param>
/// <param name="Qos">Of this delivery: 1 or 2.</param>
/// <param name="Retain">Its RETAIN flag.</param>
/// <param name="Identifiers">Of the subscriptions it is delivered for; null for none.</param>
/// <param name="IsReleased">The client has it: PUBREL is due.</param>
public sealed record MessageQueued(string ClientId, long Number, Message Message, int Qos, bool Retain, IReadOnlyList<uint>? Identifiers, bool IsReleased = false) : Change
{
    internal override long Size => Message.Size + ((Identifiers?.Count ?? 0) * sizeof(uint));
}

/// <summary>PUBREC came for a message: it is never sent again [MQTT-4.3.3-6].</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Number">Which.</param>
public sealed record MessageReleased(string ClientId, long Number) : Change;

/// <summary>A message has arrived, or is not to be sent any more.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Number">Which.</param>
public sealed record MessageFinished(string ClientId, long Number) : Change;

/// <summary>A QoS 2 identifier of the client's is in use.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="PacketId">Which.</param>
public sealed record IdReceived(string ClientId, ushort PacketId) : Change;

/// <summary>A QoS 2 identifier of the client's is free again.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="PacketId">Which.</param>
public sealed record IdReleased(string ClientId, ushort PacketId) : Change;

/// <summary>What is retained for a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Message">Its message; null for none any more.</param>
public sealed record RetainedChanged(string Topic, Message? Message) : Change
{
    internal override long Size => Message?.Size ?? (sizeof(char) * Topic.Length);
}

/// <summary>A client has a will; one with the same number is replaced.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Number">Names it.</param>
/// <param name="Will">What it says.</param>
/// <param name="DueAt">When it is to be published; null as long as the client is here.</param>
public sealed record WillKept(string ClientId, long Number, Will Will, TimeSpan? DueAt) : Change
{
    /// <summary>The client's user, as the host names it; null if nobody knows.</summary>
    public string? User { get; init; }

    internal override long Size => Will.Size;
}

/// <summary>A will was published, or is void.</summary>
/// <param name="Number">Which.</param>
public sealed record WillForgotten(long Number) : Change;
