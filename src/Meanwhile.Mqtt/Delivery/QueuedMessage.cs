namespace Meanwhile.Mqtt.Delivery;

/// <summary>A message in the queue of a session, from its coming to the client's last answer.</summary>
/// <param name="outgoing">The message.</param>
/// <param name="number">Names it within the session; 0 at QoS 0.</param>
internal sealed class QueuedMessage(in Outgoing outgoing, long number)
{
    private readonly Outgoing _outgoing = outgoing;

    /// <summary>The message.</summary>
    public ref readonly Outgoing Outgoing => ref _outgoing;

    /// <summary>Names it within the session; 0 at QoS 0.</summary>
    public long Number { get; } = number;

    /// <summary>Its packet identifier at QoS 1 and 2.</summary>
    public ushort PacketId => InFlightMessages.IdOf(Number);

    /// <summary>The batch with what is remembered last of it: nothing that rests on it is sent before that is durable.</summary>
    public long Batch { get; set; }

    /// <summary>PUBREC has come for it.</summary>
    public bool IsReleased { get; set; }

    /// <summary>The client has it, or does not want it.</summary>
    public bool IsFinished { get; set; }

    /// <summary>It was sent on this connection.</summary>
    public bool IsOnWire { get; set; }
}
