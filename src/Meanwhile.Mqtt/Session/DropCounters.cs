namespace Meanwhile.Mqtt.Session;

/// <summary>Counts messages that do not arrive, by what became of them.</summary>
/// <param name="told">Hears of each: what became of them, whose they are, and how many.</param>
internal sealed class DropCounters(Action<DropKind, string, int> told)
{
    private readonly long[] _counts = new long[Enum.GetValues<DropKind>().Length];

    /// <summary>How many there were of a kind.</summary>
    public long this[DropKind kind] => Interlocked.Read(ref _counts[(int)kind]);

    /// <summary>Some messages from or for a client are lost; none of them is nothing to speak of.</summary>
    public void Add(DropKind kind, string clientId, int count)
    {
        if (count == 0)
            return;
        Interlocked.Add(ref _counts[(int)kind], count);
        told(kind, clientId, count);
    }
}

/// <summary>What became of a message that did not arrive, though its subscriber's queue was not full.</summary>
public enum DropKind
{
    /// <summary>Nothing was dropped.</summary>
    None,

    /// <summary>It had expired before its subscriber took it.</summary>
    Expired,

    /// <summary>It is larger than its subscriber takes.</summary>
    TooLarge,

    /// <summary>It waited for its subscriber, which may not read it any more.</summary>
    Unreadable,

    /// <summary>It waited at QoS 0 when the connection of its subscriber ended.</summary>
    Unsent,

    /// <summary>It waited when the session of its subscriber ended.</summary>
    Discarded,

    /// <summary>It had come at QoS 0 and waited for room in the queue of the host when the connection of its publisher ended.</summary>
    NotTakenIn,

    /// <summary>It had come at QoS 0 for the host, and there was no memory left.</summary>
    NoMemory,
}
