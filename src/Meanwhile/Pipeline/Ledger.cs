namespace Meanwhile.Pipeline;

/// <summary>
/// Counters that account for every message that came in: received = committed + quarantined + duplicates + expired on arrival
/// + ignored, once nothing is on its way, and acknowledged never exceeds their sum. The data path alone writes these; anybody may read.
/// </summary>
internal sealed class Ledger
{
    private long _received;
    private long _receivedAgain;
    private long _committed;
    private long _quarantined;
    private long _duplicates;
    private long _expired;
    private long _ignored;
    private long _acknowledged;
    private long _ownResults;
    private long _droppedFromQuarantine;
    private long _unexpected;
    private long _refusedResults;

    /// <summary>Messages taken in from the network.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Those of them that came with DUP set: an earlier attempt may have been made.</summary>
    public long ReceivedAgain => Volatile.Read(ref _receivedAgain);

    /// <summary>Readings on disk.</summary>
    public long Committed => Volatile.Read(ref _committed);

    /// <summary>Messages that are no reading, on disk with their reason.</summary>
    public long Quarantined => Volatile.Read(ref _quarantined);

    /// <summary>Redeliveries of what was taken in before.</summary>
    public long Duplicates => Volatile.Read(ref _duplicates);

    /// <summary>Readings that were older than the retention when they arrived.</summary>
    public long Expired => Volatile.Read(ref _expired);

    /// <summary>Messages that are neither readings nor faults, such as empty ones: acknowledged, and nothing else.</summary>
    public long Ignored => Volatile.Read(ref _ignored);

    /// <summary>Messages whose PUBACK or PUBREC was handed to the connection.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Results of ours that matched the filter of the readings; they are not received messages.</summary>
    public long OwnResults => Volatile.Read(ref _ownResults);

    /// <summary>Messages that had to leave the quarantine, because it is bounded.</summary>
    public long DroppedFromQuarantine => Volatile.Read(ref _droppedFromQuarantine);

    /// <summary>Quarantined messages on topics that have readings, and that do not just tell whether a device is there: somebody should look at them.</summary>
    public long Unexpected => Volatile.Read(ref _unexpected);

    /// <summary>Results that the broker did not take.</summary>
    public long RefusedResults => Volatile.Read(ref _refusedResults);

    /// <summary>Received and not yet accounted for.</summary>
    public long OnTheWay => Received - Committed - Quarantined - Duplicates - Expired - Ignored;

    /// <summary>A message was taken in.</summary>
    public void Receive(bool dup)
    {
        Add(ref _received, 1);
        if (dup)
            Add(ref _receivedAgain, 1);
    }

    /// <summary>A batch is durable.</summary>
    public void RecordCommit(int committed, int quarantined, int duplicates, int expired, int ignored)
    {
        Add(ref _committed, committed);
        Add(ref _quarantined, quarantined);
        Add(ref _duplicates, duplicates);
        Add(ref _expired, expired);
        Add(ref _ignored, ignored);
    }

    /// <summary>Quarantined messages of a durable batch were unexpected.</summary>
    public void RecordUnexpected(int messages) => Add(ref _unexpected, messages);

    /// <summary>Acknowledgements were handed to the connection.</summary>
    public void Acknowledge(int messages) => Add(ref _acknowledged, messages);

    /// <summary>Messages had to leave the quarantine.</summary>
    public void DropFromQuarantine(int messages) => Add(ref _droppedFromQuarantine, messages);

    /// <summary>A result of ours came back as a message.</summary>
    public void PassOverOwnResult() => Add(ref _ownResults, 1);

    /// <summary>The broker did not take a result. Called from the threads of a connection.</summary>
    public void RefuseResult() => Interlocked.Increment(ref _refusedResults);

    /// <inheritdoc/>
    public override string ToString() =>
        $"received {Received} = committed {Committed} + quarantined {Quarantined} + duplicates {Duplicates} + expired {Expired}"
        + (Ignored == 0 ? "" : $" + ignored {Ignored}")
        + (OnTheWay == 0 ? "" : $" + not finished {OnTheWay}")
        + $"; acknowledged {Acknowledged}; with DUP {ReceivedAgain}"
        + (DroppedFromQuarantine == 0 ? "" : $"; dropped from the quarantine {DroppedFromQuarantine}")
        + (OwnResults == 0 ? "" : $"; own results passed over {OwnResults}")
        + (RefusedResults == 0 ? "" : $"; results refused by the broker {RefusedResults}");

    private static void Add(ref long counter, int count) => Volatile.Write(ref counter, counter + count);
}
