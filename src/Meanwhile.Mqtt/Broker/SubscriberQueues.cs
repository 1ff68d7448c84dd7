using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Puts messages into the queues of subscribers, and knows which of these fill. Whoever uses it holds the router's lock, unless it is said.</summary>
/// <param name="limits">What becomes of what does not fit in.</param>
/// <param name="memory">Whether there is any left.</param>
/// <param name="refused">Told of copies that are dropped.</param>
/// <param name="filling">Told of queues that fill.</param>
internal sealed class SubscriberQueues(BrokerLimits limits, MemoryWatch memory, Action<Refusal> refused, Action<QueueFill> filling)
{
    private readonly HashSet<ClientSession> _filling = []; // At least half full, or were.
    private readonly HashSet<ClientSession> _full = [];
    private volatile bool _isAnyFull;
    private long _dropped;

    /// <summary>How many copies were dropped, because the queue of a subscriber is full. Asked without the lock.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Publishers may have to be refused: seldom, so that nobody need look. Asked without the lock.</summary>
    public bool IsAnyFull => _isAnyFull;

    /// <summary>Queues that are at least half full.</summary>
    public List<QueueFill> Filling()
    {
        var fills = new List<QueueFill>(_filling.Count);
        foreach (var session in _filling)
        {
            if (FillOf(session) is { Level: not QueueLevel.Low } fill)
                fills.Add(fill);
            else
                _filling.Remove(session); // As may be done with the one that is looked at.
        }
        return fills;
    }

    /// <summary>Forgets those that have room again. Until then each message at QoS 1 or 2 is looked at twice: so it is done once a second, and not for each.</summary>
    public void LookForRoom()
    {
        if (!_isAnyFull)
            return;
        _full.RemoveWhere(static session => !HasNoRoom(session));
        _isAnyFull = _full.Count > 0;
    }

    /// <summary>Whether a queue is full whose publishers are refused.</summary>
    public bool IsFull(ClientSession session) => _full.Contains(session) && HasNoRoom(session);

    /// <summary>Queues a message, if the client may read it.</summary>
    /// <param name="session">Whose queue.</param>
    /// <param name="outgoing">The message.</param>
    /// <param name="canRefuse">Its publisher is refused while a queue is full; the host cannot be, nor can a will.</param>
    public Routed HandOver(ClientSession session, Outgoing outgoing, bool canRefuse) =>
        session.Permissions.MayRead(outgoing.Message.Topic) ? Add(session, outgoing, canRefuse) : default;

    /// <summary>Queues a message that the client may read.</summary>
    /// <returns>False when the queue is full, so that it was dropped.</returns>
    public bool AddIfItFits(ClientSession session, Outgoing outgoing)
    {
        if (HasNoRoom(session))
        {
            Drop(session);
            return false;
        }
        Add(session, outgoing, canRefuse: false);
        return true;
    }

    /// <summary>A session is over.</summary>
    public void Forget(ClientSession session)
    {
        _filling.Remove(session);
        _full.Remove(session);
    }

    // While a queue is full, publishers to it are refused, so that what still goes in is bounded.
    private Routed Add(ClientSession session, Outgoing outgoing, bool canRefuse)
    {
        long? batch;
        lock (session.Gate)
        {
            batch = memory.IsFull && outgoing.Qos == 0 ? null : session.Add(outgoing, isBounded: canRefuse && outgoing.Qos > 0 && limits.WhenFull == FullQueue.Refuse);
            if (batch is null && (session.IsConnected || outgoing.Qos > 0))
                Drop(session);
            session.WakeUp?.Invoke();
            if (session.IsFilling())
            {
                _filling.Add(session);
                filling(session.Fill);
            }
            if (!session.IsFull || outgoing.Qos == 0 || limits.WhenFull == FullQueue.Drop)
                return Routed.To(batch);
            session.Overflowed?.Invoke();
        }
        _full.Add(session);
        _isAnyFull = true;
        return Routed.To(batch);
    }

    private void Drop(ClientSession session)
    {
        _dropped++;
        refused(new Refusal(RefusalKind.Copy, session.ClientId, ReasonCode.QuotaExceeded, ""));
    }

    private static QueueFill FillOf(ClientSession session)
    {
        lock (session.Gate)
            return session.Fill;
    }

    private static bool HasNoRoom(ClientSession session)
    {
        lock (session.Gate)
            return session.IsFull;
    }
}
