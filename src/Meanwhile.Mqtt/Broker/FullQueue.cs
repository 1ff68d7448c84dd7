namespace Meanwhile.Mqtt.Broker;

/// <summary>What becomes of a message at QoS 1 or 2 for a client whose queue is full.</summary>
public enum FullQueue
{
    /// <summary>Its publisher is refused, and still has it; a client that is here and too slow is disconnected.</summary>
    Refuse,

    /// <summary>It is dropped for this client alone: what waits already stays.</summary>
    Drop,
}
