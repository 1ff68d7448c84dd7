namespace Meanwhile.Mqtt.Session;

/// <summary>What one commit makes durable, and what waits for it.</summary>
/// <param name="number">Batches are counted.</param>
internal sealed class JournalBatch(long number)
{
    private readonly List<Incoming> _waiting = [];
    private readonly HashSet<ClientSession> _sessions = [];
    private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Which it is.</summary>
    public long Number { get; } = number;

    /// <summary>What has changed, in order.</summary>
    public List<Change> Changes { get; } = [];

    /// <summary>The memory of the messages, wills and filters in it.</summary>
    public long Bytes { get; private set; }

    /// <summary>There is nothing in it.</summary>
    public bool IsEmpty => Changes.Count == 0 && _waiting.Count == 0;

    /// <summary>Completes when it is being committed: the next one collects.</summary>
    public Task Taken => _taken.Task;

    /// <summary>Completes when it is committed.</summary>
    public Task Committed => _committed.Task;

    /// <summary>Adds a change.</summary>
    /// <param name="session">Has something to send after it; null for none.</param>
    public void Add(Change change, ClientSession? session)
    {
        Changes.Add(change);
        Bytes += change.Size;
        if (session is not null)
            _sessions.Add(session);
    }

    /// <summary>Adds what is to be acknowledged after it.</summary>
    public void Add(in Incoming incoming) => _waiting.Add(incoming);

    /// <summary>Nothing can be added any more.</summary>
    public void Take() => _taken.TrySetResult();

    /// <summary>It is durable: acknowledgements go out, then messages.</summary>
    public void Settle()
    {
        foreach (var incoming in _waiting)
        {
            if (incoming.Session is not { } sender)
                continue;
            lock (sender.Gate)
                incoming.Settle(sender);
            _sessions.Add(sender);
        }
        foreach (var session in _sessions) // After all of them, so that many go out in one write.
            session.WakeUp?.Invoke();
        _committed.TrySetResult();
        Changes.Clear(); // The journal keeps this batch until the next one is taken.
        _waiting.Clear();
        _sessions.Clear();
    }

    /// <summary>It will never be durable, so that nobody need wait for it.</summary>
    public void Abandon()
    {
        _taken.TrySetCanceled();
        _committed.TrySetCanceled();
    }
}
