namespace Meanwhile.Pipeline;

/// <summary>
/// Counters that account for every message that came in: received = committed + quarantined + duplicates + expired on arrival, once nothing is on
/// its way, and acknowledged never exceeds their sum.
/// </summary>
internal sealed class Ledger
{
    private long _received;
    private long _receivedAgain;
    private long _committed;
    private long _quarantined;
    private long _duplicates;
    private long _expired;
    private long _acknowledged;
    private long _ownResults;
    private long _droppedFromQuarantine;

    /// <summary>Messages taken in from the network.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Those of them that came with DUP set: an earlier attempt may have been made.</summary>
    public long ReceivedAgain => Interlocked.Read(ref _receivedAgain);

    /// <summary>Readings on disk.</summary>
    public long Committed => Interlocked.Read(ref _committed);

    /// <summary>Messages that are no reading, on disk with their reason.</summary>
    public long Quarantined => Interlocked.Read(ref _quarantined);

    /// <summary>Redeliveries of what was taken in before.</summary>
    public long Duplicates => Interlocked.Read(ref _duplicates);

    /// <summary>Readings that were older than the retention when they arrived.</summary>
    public long Expired => Interlocked.Read(ref _expired);

    /// <summary>Messages whose PUBACK or PUBREC was handed to the connection.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Results of ours that matched the filter of the readings; they are not received messages.</summary>
    public long OwnResults => Interlocked.Read(ref _ownResults);

    /// <summary>Messages that had to leave the quarantine, because it is bounded.</summary>
    public long DroppedFromQuarantine => Interlocked.Read(ref _droppedFromQuarantine);

    /// <summary>Received and not yet accounted for.</summary>
    public long OnTheWay => Received - Committed - Quarantined - Duplicates - Expired;

    /// <summary>A message was taken in.</summary>
    public void Receive(bool dup)
    {
        Interlocked.Increment(ref _received);
        if (dup)
            Interlocked.Increment(ref _receivedAgain);
    }

    /// <summary>A batch is durable.</summary>
    public void Account(int committed, int quarantined, int duplicates, int expired)
    {
        Interlocked.Add(ref _committed, committed);
        Interlocked.Add(ref _quarantined, quarantined);
        Interlocked.Add(ref _duplicates, duplicates);
        Interlocked.Add(ref _expired, expired);
    }

    /// <summary>Acknowledgements were handed to the connection.</summary>
    public void Acknowledge(int messages) => Interlocked.Add(ref _acknowledged, messages);

    /// <summary>Messages had to leave the quarantine.</summary>
    public void DropFromQuarantine(int messages) => Interlocked.Add(ref _droppedFromQuarantine, messages);

    /// <summary>A result of ours came back as a message.</summary>
    public void PassOverOwnResult() => Interlocked.Increment(ref _ownResults);

    /// <inheritdoc/>
    public override string ToString() =>
        $"received {Received} = committed {Committed} + quarantined {Quarantined} + duplicates {Duplicates} + expired {Expired}"
        + (OnTheWay == 0 ? "" : $" + not finished {OnTheWay}")
        + $"; acknowledged {Acknowledged}; with DUP {ReceivedAgain}"
        + (DroppedFromQuarantine == 0 ? "" : $"; dropped from the quarantine {DroppedFromQuarantine}")
        + (OwnResults == 0 ? "" : $"; own results passed over {OwnResults}");
}
