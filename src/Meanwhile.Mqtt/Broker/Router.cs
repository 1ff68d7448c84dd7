using System.Runtime.InteropServices;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Which message goes to whom: subscriptions and retained messages, under one lock, so that all subscribers see one order [MQTT-4.6.0-5].</summary>
/// <param name="limits">How much may be subscribed to and retained.</param>
/// <param name="refused">Told of copies that are dropped.</param>
internal sealed class Router(BrokerLimits limits, Action<Refusal> refused)
{
    private readonly Lock _gate = new();
    private readonly SubscriptionTree _tree = new();
    private readonly RetainedMessages _retained = new();
    private readonly List<Subscription> _matches = [];
    private readonly Dictionary<ClientSession, Outgoing> _merged = [];
    private readonly HashSet<ClientSession> _full = [];
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
    public void Route(Message message, ClientSession? from)
    {
        lock (_gate)
        {
            if (message.Retain)
                _retained.Set(message);
            _tree.Match(message.Topic, _matches);
            foreach (var match in _matches)
            {
                if (match.NoLocal && match.Session == from)
                    continue; // [MQTT-3.8.3-3]
                if (_matches.Count == 1 || match.IsShared)
                    HandOver(match.Session, match.CopyOf(message), canRefuse: from is not null);
                else
                    Merge(match, message);
            }
            foreach (var (session, outgoing) in _merged)
                HandOver(session, outgoing, canRefuse: from is not null);
            _merged.Clear();
            _matches.Clear();
        }
    }

    /// <summary>Whether a message has to be refused: a session in which it would wait is full, or nothing more can be retained.</summary>
    public bool IsRefused(string topic, bool retain)
    {
        lock (_gate)
        {
            if (retain && _retained.Count >= limits.RetainedMessages && !_retained.Contains(topic))
                return true;
            if (_full.Count == 0)
                return false;
            _full.RemoveWhere(session => !IsFull(session));
            _tree.Match(topic, _matches);
            var isRefused = _matches.Exists(match => match.Qos > 0 && _full.Contains(match.Session) && match.Session.Permissions.MayRead(topic));
            _matches.Clear();
            return isRefused;
        }
    }

    /// <summary>Adds a subscription; retained messages that belong to it are queued.</summary>
    /// <returns>What the client is granted.</returns>
    public ReasonCode Subscribe(ClientSession session, SubscriptionRequest request, uint? identifier, TimeSpan now)
    {
        var subscription = new Subscription(session, request.Filter, request.Qos, request.NoLocal, request.RetainAsPublished, identifier is { } id ? [id] : null);
        lock (_gate)
        {
            if (Topic.Levels(request.Filter) > limits.TopicLevels)
                return ReasonCode.TopicFilterInvalid;
            if (session.Subscriptions.Count >= limits.SubscriptionsPerClient && !session.Subscriptions.Contains(request.Filter))
                return ReasonCode.QuotaExceeded;
            var isNew = _tree.Set(subscription);
            session.Subscriptions.Add(request.Filter);
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
            if (!session.Subscriptions.Remove(filter))
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
        }
    }

    /// <summary>Retained messages that have expired are forgotten.</summary>
    public void Expire(TimeSpan now)
    {
        lock (_gate)
            _retained.Expire(now);
    }

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
    private void HandOver(ClientSession session, Outgoing outgoing, bool canRefuse)
    {
        if (!session.Permissions.MayRead(outgoing.Message.Topic))
            return;
        lock (session.Gate)
        {
            if (!session.Add(outgoing, isBounded: canRefuse && outgoing.Qos > 0) && (session.IsConnected || outgoing.Qos > 0))
            {
                _dropped++;
                refused(new Refusal(RefusalKind.Copy, session.ClientId, ReasonCode.QuotaExceeded, ""));
            }
            session.WakeUp?.Invoke();
            if (!session.IsFull || outgoing.Qos == 0)
                return;
            session.Overflowed?.Invoke();
        }
        _full.Add(session);
    }

    private static bool IsFull(ClientSession session)
    {
        lock (session.Gate)
            return session.IsFull;
    }
}
