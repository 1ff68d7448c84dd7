using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>A log whose batches become durable when the test says so.</summary>
internal sealed class ManualSenderLog(IEnumerable<KeyValuePair<long, (Outgoing Outgoing, bool IsReleased)>>? kept = null) : ISenderLog
{
    private readonly List<(long Batch, Action<SortedDictionary<long, (Outgoing Outgoing, bool IsReleased)>> Change)> _changes = [];

    public long Committed { get; private set; }

    /// <summary>The batch of the last change.</summary>
    public long Last { get; private set; }

    public void Commit() => Committed = Math.Max(Committed + 1, Last);

    public long Queue(long number, in Outgoing outgoing)
    {
        if (outgoing.Qos == 0)
            return 0;
        var queued = outgoing;
        return Append(all => all.Add(number, (queued, false)));
    }

    public long Release(long number) => Append(all => all[number] = (all[number].Outgoing, true));

    public long Finish(long number) => Append(all => all.Remove(number));

    /// <summary>What a process that begins now would find.</summary>
    public SortedDictionary<long, (Outgoing Outgoing, bool IsReleased)> Kept()
    {
        var all = new SortedDictionary<long, (Outgoing Outgoing, bool IsReleased)>();
        foreach (var (number, message) in kept ?? [])
            all.Add(number, message);
        foreach (var (batch, change) in _changes)
        {
            if (batch <= Committed)
                change(all);
        }
        return all;
    }

    private long Append(Action<SortedDictionary<long, (Outgoing Outgoing, bool IsReleased)>> change)
    {
        Last = Committed + 1;
        _changes.Add((Last, change));
        return Last;
    }
}
