using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Stores;

/// <summary>What one transaction commits: all of it or nothing.</summary>
internal sealed class Batch
{
    /// <summary>Readings, in the order of their arrival.</summary>
    public List<Reading> Readings { get; } = [];

    /// <summary>Messages that are no reading.</summary>
    public List<RejectedMessage> Quarantined { get; } = [];

    /// <summary>Numbers of quarantined messages that leave the quarantine.</summary>
    public List<long> TakenFromQuarantine { get; } = [];

    /// <summary>Changes to the received QoS 2 identifiers, in order.</summary>
    public List<ClientIdChange> IdChanges { get; } = [];

    /// <summary>The filter that the feed's session is subscribed to from now on; null for no change.</summary>
    public string? Subscription { get; set; }

    /// <summary>Makes room for the next one.</summary>
    public void Clear()
    {
        Readings.Clear();
        Quarantined.Clear();
        TakenFromQuarantine.Clear();
        IdChanges.Clear();
        Subscription = null;
    }
}

/// <summary>A message that is no reading, kept with the reason.</summary>
/// <param name="Arrived">Milliseconds since the Unix epoch.</param>
/// <param name="Topic">Where it was published.</param>
/// <param name="Payload">Its bytes, whatever they are.</param>
/// <param name="Reason">Why it is no reading.</param>
internal readonly record struct RejectedMessage(long Arrived, string Topic, ReadOnlyMemory<byte> Payload, string Reason);

/// <summary>A message in the quarantine.</summary>
/// <param name="Number">Names it; later messages have higher numbers.</param>
/// <param name="Message">What it is, and why it is no reading.</param>
internal readonly record struct QuarantinedMessage(long Number, RejectedMessage Message);

/// <summary>A change to the received QoS 2 identifiers of one session.</summary>
/// <param name="Client">Whose session it is at the embedded broker; empty for our own at a broker elsewhere.</param>
/// <param name="Change">What happened.</param>
internal readonly record struct ClientIdChange(string Client, IdChange Change);

/// <summary>What the feed's sessions were when the last process committed.</summary>
/// <param name="ReceivedIds">QoS 2 identifiers between PUBLISH and PUBREL, by client as in <see cref="ClientIdChange"/>; clients without any are not in it.</param>
/// <param name="Subscription">The filter that our own session is subscribed to; null when it never was.</param>
internal sealed record SessionState(IReadOnlyDictionary<string, IReadOnlyCollection<ushort>> ReceivedIds, string? Subscription);
