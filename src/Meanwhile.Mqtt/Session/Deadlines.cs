namespace Meanwhile.Mqtt.Session;

/// <summary>Sessions by the time at which something is due for them: what is due is found without looking at the others, however many there are.</summary>
internal sealed class Deadlines
{
    private readonly Dictionary<ClientSession, Deadline> _deadlines = [];
    private readonly SortedSet<Deadline> _order = new(Comparer<Deadline>.Create(static (one, other) => (one.At, one.Number).CompareTo((other.At, other.Number))));
    private long _lastNumber;

    /// <summary>How many sessions have been looked at to find what is due.</summary>
    public long Looks { get; private set; }

    /// <summary>Something is due for a session at a time, and no longer at another one.</summary>
    /// <param name="session">Which.</param>
    /// <param name="at">When; the latest time that there is for never.</param>
    public void Set(ClientSession session, TimeSpan at)
    {
        Remove(session);
        if (at == TimeSpan.MaxValue)
            return;
        var deadline = new Deadline(at, ++_lastNumber, session);
        _deadlines.Add(session, deadline);
        _order.Add(deadline);
    }

    /// <summary>Nothing is due for it any more.</summary>
    public void Remove(ClientSession session)
    {
        if (_deadlines.Remove(session, out var deadline))
            _order.Remove(deadline);
    }

    /// <summary>Sessions for which something is due by now, the earliest first.</summary>
    /// <param name="now">The time.</param>
    /// <param name="most">How many at once.</param>
    public IReadOnlyList<ClientSession> Due(TimeSpan now, int most)
    {
        if (_order.Count == 0 || _order.Min.At > now) // Nearly always.
            return [];
        var due = new List<ClientSession>();
        foreach (var deadline in _order)
        {
            Looks++;
            if (deadline.At > now || due.Count == most)
                break;
            due.Add(deadline.Session);
        }
        return due;
    }

    // Numbers tell those of one time apart.
    private readonly record struct Deadline(TimeSpan At, long Number, ClientSession Session);
}
