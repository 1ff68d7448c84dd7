using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Something that a broker did not do for a client.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="ClientId">Whose; empty where the client has not said it.</param>
/// <param name="Reason">Why, as 5.0 says it.</param>
/// <param name="Explanation">Why, in more words; empty for none.</param>
public readonly record struct Refusal(RefusalKind Kind, string ClientId, ReasonCode Reason, string Explanation)
{
    /// <summary>The address of a client that could not say who it is, and its web page if it is one; else empty.</summary>
    public string From { get; init; } = "";

    /// <summary>What became of messages that were dropped; else none.</summary>
    public DropKind Drop { get; init; }

    /// <summary>How many messages, where it is messages.</summary>
    public int Count { get; init; } = 1;

    internal static Refusal Of(DropKind drop, string clientId, int count) => new(RefusalKind.Drop, clientId, ReasonCode.Success, TextOf(drop)) { Drop = drop, Count = count };

    private static string TextOf(DropKind drop) => drop switch
    {
        DropKind.Expired => "they had expired before it took them",
        DropKind.TooLarge => "they are larger than it takes",
        DropKind.Unreadable => "it may not read their topics any more",
        DropKind.Unsent => "they waited at QoS 0 when its connection ended",
        DropKind.NoMemory => "it sent them at QoS 0, and there is no memory left (--max-memory)",
        DropKind.Discarded => "they waited when its session ended",
        _ => "it had sent them at QoS 0, and its connection ended while they waited to be taken in",
    };
}

/// <summary>What was refused.</summary>
public enum RefusalKind
{
    /// <summary>A connection was not accepted, or had to be closed.</summary>
    Connection,

    /// <summary>It was not let in: who it says it is was not proved.</summary>
    Login,

    /// <summary>A message of the client's, or its will, was not taken in; it was told so where its version has words for it.</summary>
    Message,

    /// <summary>It may not subscribe to a filter; it was told so.</summary>
    Subscription,

    /// <summary>A copy of a message for the client was dropped: it is too slow for it, or away for too long.</summary>
    Copy,

    /// <summary>Messages from or for the client were dropped for another reason.</summary>
    Drop,

    /// <summary>It was not let in: another user owns the session of its client identifier.</summary>
    Session,
}
