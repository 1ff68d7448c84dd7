using System.Runtime.InteropServices;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Which message goes to whom: subscriptions and retained messages, under one lock, so that all subscribers see one order [MQTT-4.6.0-5].</summary>
/// <param name="limits">How much may be subscribed to and retained.</param>
/// <param name="memory">Whether there is any left.</param>
/// <param name="journal">Where retained messages are kept. Its order is this one's.</param>
/// <param name="refused">Told of copies that are dropped.</param>
internal sealed class Router(BrokerLimits limits, MemoryWatch memory, Journal journal, Action<Refusal> refused)
{
    private readonly Lock _gate = journal.Grouping;
    private readonly SubscriptionTree _tree = new();
    private readonly RetainedMessages _retained = new();
    private readonly List<Subscription> _matches = [];
    private readonly Dictionary<ClientSession, Outgoing> _merged = [];
    private readonly HashSet<ClientSession> _full = [];
    private volatile bool _isAnyFull; // Of these: seldom, so that nobody need look.
    private long _dropped;

    /// <summary>How many copies were dropped, because the queue of a subscriber is full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>How many retained messages there are.</summary>
    public int Retained
    {
        get
        {
            lock (_gate)
                return _retained.Count;
        }
    }

    /// <summary>Hands a message to its subscribers, and keeps it where it is to be retained.</summary>
    /// <param name="message">The message.</param>
    /// <param name="from">Who published it; null for the host.</param>
    public Routed Route(Message message, ClientSession? from)
    {
        lock (_gate)
        {
            var routed = message.Retain ? new Routed(Retain(message), IsKept: true) : default;
            _tree.Match(message.Topic, _matches);
            foreach (var match in _matches)
            {
                if (match.NoLocal && match.Session == from)
                    continue; // [MQTT-3.8.3-3]
                if (_matches.Count == 1 || match.IsShared)
                    routed += HandOver(match.Session, match.CopyOf(message), canRefuse: from is not null);
                else
                    Merge(match, message);
            }
            foreach (var (session, outgoing) in _merged)
                routed += HandOver(session, outgoing, canRefuse: from is not null);
            _merged.Clear();
            _matches.Clear();
            return routed;
        }
    }

    /// <summary>Goes on with what an earlier process has retained.</summary>
    public void Restore(Message retained) => _retained.Set(retained);

    /// <summary>Goes on with a subscription of an earlier process.</summary>
    public void Restore(ClientSession session, SubscriptionRequest request, uint? identifier)
    {
        _tree.Set(Subscription.Of(session, request, identifier));
        session.Subscriptions.Add(request.Filter);
    }

    /// <summary>Whether a message has to be refused: there is no memory left, a session in which it would wait is full, or nothing more can be retained.</summary>
    public bool IsRefused(string topic, bool retain) => memory.IsFull || ((retain || _isAnyFull) && IsRefusedNow(topic, retain));

    /// <summary>Adds a subscription; retained messages that belong to it are queued.</summary>
    /// <returns>What the client is granted.</returns>
    public ReasonCode Subscribe(ClientSession session, SubscriptionRequest request, uint? identifier, TimeSpan now)
    {
        var subscription = Subscription.Of(session, request, identifier);
        lock (_gate)
        {
            if (Topic.Levels(request.Filter) > limits.TopicLevels)
                return ReasonCode.TopicFilterInvalid;
            if ((memory.IsFull || session.Subscriptions.Count >= limits.SubscriptionsPerClient) && !session.Subscriptions.Contains(request.Filter))
                return ReasonCode.QuotaExceeded;
            var isNew = _tree.Set(subscription);
            session.Subscribed(request, identifier);
            var sendsRetained = request.RetainHandling == RetainHandling.Send || (request.RetainHandling == RetainHandling.SendIfNew && isNew); // [MQTT-3.3.1-10], [MQTT-3.3.1-11]
            if (sendsRetained && !subscription.IsShared)
                SendRetained(subscription, now);
        }
        return (ReasonCode)request.Qos;
    }

    /// <summary>Takes a subscription out.</summary>
    /// <returns>False when there was none.</returns>
    public bool Unsubscribe(ClientSession session, string filter)
    {
        lock (_gate)
        {
            if (!session.Unsubscribed(filter))
                return false;
            _tree.Remove(session, filter);
            return true;
        }
    }

    /// <summary>A session is over.</summary>
    public void Forget(ClientSession session)
    {
        lock (_gate)
        {
            foreach (var filter in session.Subscriptions)
                _tree.Remove(session, filter);
            session.Subscriptions.Clear();
            _full.Remove(session);
            lock (session.Gate)
                session.End(); // After the last message for it.
        }
    }

    /// <summary>Retained messages that have expired are forgotten.</summary>
    public void Expire(TimeSpan now)
    {
        lock (_gate)
        {
            foreach (var topic in _retained.Expire(now))
                KeepRetained(topic, null);
        }
    }

    // Apart from IsRefused: what it captures would be allocated for each message.
    private bool IsRefusedNow(string topic, bool retain)
    {
        lock (_gate)
        {
            if (retain && _retained.Count >= limits.RetainedMessages && !_retained.Contains(topic))
                return true;
            if (_full.Count == 0)
                return false;
            _full.RemoveWhere(session => !IsFull(session));
            _isAnyFull = _full.Count > 0;
            _tree.Match(topic, _matches);
            var isRefused = _matches.Exists(match => match.Qos > 0 && _full.Contains(match.Session) && match.Session.Permissions.MayRead(topic));
            _matches.Clear();
            return isRefused;
        }
    }

    private long Retain(Message message)
    {
        if (message.Payload.IsEmpty && !_retained.Contains(message.Topic))
            return 0;
        _retained.Set(message);
        return KeepRetained(message.Topic, message.Payload.IsEmpty ? null : message);
    }

    // What the broker says of itself is true of this process alone.
    private long KeepRetained(string topic, Message? message) => journal.IsKept && !Permissions.IsOfServer(topic) ? journal.Append(new RetainedChanged(topic, message), null) : 0;

    // One copy for all subscriptions of a session that match, with the highest QoS and all their identifiers [MQTT-3.3.4-2], [MQTT-3.3.4-3].
    private void Merge(Subscription match, Message message)
    {
        var copy = match.CopyOf(message);
        ref var merged = ref CollectionsMarshal.GetValueRefOrAddDefault(_merged, match.Session, out var exists);
        merged = !exists ? copy : merged with
        {
            Qos = Math.Max(merged.Qos, copy.Qos),
            Retain = merged.Retain || copy.Retain,
            Identifiers = merged.Identifiers is null ? copy.Identifiers : [.. merged.Identifiers, .. copy.Identifiers ?? []],
        };
    }

    private void SendRetained(Subscription subscription, TimeSpan now)
    {
        foreach (var message in _retained.Matching(subscription.Filter, now))
            HandOver(subscription.Session, subscription.CopyOf(message) with { Retain = true }, canRefuse: false); // [MQTT-3.3.1-8]
    }

    // While a queue is full, publishers to it are refused, so that what still goes in is bounded; the host cannot be refused, nor can a will.
    private Routed HandOver(ClientSession session, Outgoing outgoing, bool canRefuse)
    {
        if (!session.Permissions.MayRead(outgoing.Message.Topic))
            return default;
        long? batch;
        lock (session.Gate)
        {
            batch = memory.IsFull && outgoing.Qos == 0 ? null : session.Add(outgoing, isBounded: canRefuse && outgoing.Qos > 0);
            if (batch is null && (session.IsConnected || outgoing.Qos > 0))
            {
                _dropped++;
                refused(new Refusal(RefusalKind.Copy, session.ClientId, ReasonCode.QuotaExceeded, ""));
            }
            session.WakeUp?.Invoke();
            if (!session.IsFull || outgoing.Qos == 0)
                return Routed.To(batch);
            session.Overflowed?.Invoke();
        }
        _full.Add(session);
        _isAnyFull = true;
        return Routed.To(batch);
    }

    private static bool IsFull(ClientSession session)
    {
        lock (session.Gate)
            return session.IsFull;
    }
}

/// <summary>What came of a message.</summary>
/// <param name="Batch">The batch of the journal that holds what has to outlive the process; 0 for none.</param>
/// <param name="IsKept">Somebody has it now.</param>
internal readonly record struct Routed(long Batch, bool IsKept)
{
    /// <summary>What came of all its copies.</summary>
    public static Routed operator +(Routed one, Routed other) => new(Math.Max(one.Batch, other.Batch), one.IsKept || other.IsKept);

    /// <summary>Of a copy that was queued in a batch, or, where there is none, was not.</summary>
    public static Routed To(long? batch) => new(batch ?? 0, batch is not null);
}
