using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>What an <see cref="Incoming"/> is.</summary>
public enum IncomingKind
{
    /// <summary>A message.</summary>
    Message,

    /// <summary>A message that was handed over before: nothing to do but to complete it.</summary>
    Redelivery,

    /// <summary>No message: only a change of the session's QoS 2 identifiers, which has to be stored.</summary>
    SessionChange,
}

/// <summary>Something that came from a client and is acknowledged to it once the host has completed it.</summary>
public readonly record struct Incoming
{
    /// <summary>What it is.</summary>
    public required IncomingKind Kind { get; init; }

    /// <summary>Who sent it: the name of the session.</summary>
    public required string ClientId { get; init; }

    /// <summary>The message; null for a change of the session alone.</summary>
    public Message? Message { get; init; }

    /// <summary>When a message was read from the network.</summary>
    public DateTimeOffset Received { get; init; }

    /// <summary>It came with DUP set.</summary>
    public bool Dup { get; init; }

    /// <summary>What has to be stored in the same transaction, so that QoS 2 is exactly once through a crash.</summary>
    public IdChange IdChange { get; init; }

    /// <summary>An acknowledgement is owed for it.</summary>
    public bool IsAcknowledged => Ticket != default;

    /// <summary>The host can refuse the message: the client expects no answer (QoS 0) or can be told (5.0).</summary>
    public bool CanBeRefused { get; init; }

    /// <summary>The host refuses the message and does not store it. The client gets 0x97 if it expects an answer, and subscribers do not get the message.</summary>
    public bool IsRefused { get; init; }

    internal Ticket Ticket { get; init; }

    // Of a message at QoS 1 or 2.
    internal ushort PacketId { get; init; }

    // Not asked of the message: what comes again waits for the journal without it, and another client's may have got its memory by then.
    internal bool IsAtQos0 => Message is not null && PacketId == 0;

    // Of a message at QoS 2; else 0.
    internal ushort ReceivedId => Message?.Qos == 2 ? PacketId : (ushort)0;

    // Its message goes to subscribers: they have not had it.
    internal bool IsRouted { get; init; }

    // For whoever has to wait until it is complete.
    internal TaskCompletionSource? Completed { get; init; }

    // It was one: the client is gone.
    internal PendingWill? Will { get; init; }

    // Null for a will.
    internal ClientSession? Session { get; init; }

    // A PUBLISH, as its receiver has judged it.
    internal static Incoming Of(
        in PublishPacket publish, in Receipt receipt, string clientId, Message message, DateTimeOffset received, ClientSession? session = null, bool canBeRefused = false, bool isRouted = false) => new()
        {
            Kind = receipt.IsNew ? IncomingKind.Message : IncomingKind.Redelivery,
            ClientId = clientId,
            Message = message,
            Dup = publish.Dup,
            Received = received,
            IdChange = receipt.Change,
            PacketId = publish.PacketId,
            CanBeRefused = canBeRefused,
            IsRouted = isRouted,
            Ticket = receipt.Ticket,
            Session = session,
        };

    // A PUBREL.
    internal static Incoming Of(in Receipt receipt, string clientId, ClientSession? session = null) =>
        new() { Kind = IncomingKind.SessionChange, ClientId = clientId, IdChange = receipt.Change, Ticket = receipt.Ticket, Session = session };

    // What came of it is durable; its session's gate is held. Says whether it is acknowledged by that; not so at QoS 0, or when the connection is gone.
    internal bool Settle(ClientSession session)
    {
        Completed?.TrySetResult();
        return session.Complete(this);
    }
}
