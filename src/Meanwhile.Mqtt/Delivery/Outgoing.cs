using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Delivery;

/// <summary>One copy of a message on its way to one receiver.</summary>
/// <param name="Message">The message.</param>
/// <param name="Qos">Of this delivery: the lower one of publisher's and subscription's [MQTT-3.8.4-8].</param>
/// <param name="Retain">Its RETAIN flag.</param>
/// <param name="Identifiers">Of the subscriptions it is delivered for [MQTT-3.3.4-3].</param>
/// <param name="Answered">Told what the receiver has answered, by whom that is waited for; cancelled by whoever does not wait any more. Null for nobody.</param>
public readonly record struct Outgoing(Message Message, int Qos, bool Retain, uint[]? Identifiers = null, TaskCompletionSource<ReasonCode>? Answered = null)
{
    /// <summary>The memory it takes, about. Several identifiers are its own; a single one is its subscription's.</summary>
    internal int Size => Message.Size + (Identifiers is { Length: > 1 } several ? several.Length * sizeof(uint) : 0);
}

/// <summary>A PUBLISH, or a PUBREL where there is no message, that is to be sent now.</summary>
/// <param name="PacketId">Its packet identifier; 0 at QoS 0.</param>
/// <param name="Dup">It was sent before.</param>
/// <param name="Found">PUBREL: false when the identifier of the PUBREC was not known.</param>
public readonly record struct Transmission(ushort PacketId, bool Dup, bool Found)
{
    private static readonly Outgoing None;

    /// <summary>It is a PUBREL.</summary>
    public bool IsRelease => Queued is null;

    /// <summary>The message; the default value for a PUBREL.</summary>
    public ref readonly Outgoing Publish => ref Queued is null ? ref None : ref Queued.Outgoing;

    /// <summary>The PUBREL.</summary>
    public PublishAckPacket Release => new(PacketType.PubRel, PacketId, Found ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound);

    /// <summary>What is sent; null for a PUBREL.</summary>
    internal QueuedMessage? Queued { get; init; }
}
