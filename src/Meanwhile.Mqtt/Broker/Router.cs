using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Which message goes to whom: subscriptions and retained messages, under one lock, so that all subscribers see one order [MQTT-4.6.0-5].</summary>
/// <param name="limits">How much may be subscribed to and retained.</param>
/// <param name="memory">Whether there is any left.</param>
/// <param name="journal">Where retained messages are kept. Its order is this one's.</param>
/// <param name="refused">Told of copies that are dropped.</param>
/// <param name="filling">Told of queues that fill.</param>
internal sealed class Router(BrokerLimits limits, MemoryWatch memory, Journal journal, Action<Refusal> refused, Action<QueueFill> filling)
{
    private readonly Lock _gate = journal.Grouping;
    private readonly SubscriptionIndex _subscribers = new();
    private readonly RetainedStore _retained = new(limits, memory, journal, refused);
    private readonly MergedCopies _copies = new();
    private readonly SubscriberQueues _queues = new(limits, memory, refused, filling);

    /// <summary>How many copies were dropped, because the queue of a subscriber is full.</summary>
    public long Dropped => _queues.Dropped;

    /// <summary>How many subscriptions there are.</summary>
    public int Subscriptions => _subscribers.Count;

    /// <summary>The memory that they take, in bytes, about.</summary>
    public long SubscriptionBytes => _subscribers.Bytes;

    /// <summary>How many retained messages there are.</summary>
    public int Retained
    {
        get
        {
            lock (_gate)
                return _retained.Count;
        }
    }

    /// <summary>The memory that they take, in bytes, about.</summary>
    public long RetainedBytes
    {
        get
        {
            lock (_gate)
                return _retained.Bytes;
        }
    }

    /// <summary>Queues that are at least half full, the fullest first.</summary>
    public IReadOnlyList<QueueFill> Filling()
    {
        List<QueueFill> fills;
        lock (_gate)
            fills = _queues.Filling();
        return [.. fills.OrderByDescending(fill => fill.Ratio).ThenBy(fill => fill.ClientId, StringComparer.Ordinal)]; // There may be thousands.
    }

    /// <summary>Hands a message to its subscribers, and keeps it where it is to be retained.</summary>
    /// <param name="message">The message.</param>
    /// <param name="from">Who published it; null for the host.</param>
    public Routed Route(Message message, ClientSession? from)
    {
        lock (_gate)
        {
            var routed = message.Retain ? new Routed(_retained.Retain(message, from), IsKept: true) : default;
            var own = _subscribers.Find(message.Topic, out var groups);
            foreach (var group in groups)
            {
                var match = group.Choose(message.Topic);
                if (IsDue(match, from))
                    routed += _queues.HandOver(match.Session, match.CopyOf(message), canRefuse: from is not null);
            }
            _copies.Clear(); // What is left of an earlier time, which a permission of the host's may have ended early.
            foreach (var match in own)
            {
                if (IsDue(match, from))
                    _copies.Add(match, message);
            }
            for (var i = 0; i < _copies.Count; i++)
            {
                var (session, outgoing) = _copies[i];
                routed += _queues.HandOver(session, outgoing, canRefuse: from is not null);
            }
            return routed;
        }
    }

    /// <summary>Goes on with what an earlier process has retained.</summary>
    public void Restore(Message retained) => _retained.Restore(retained);

    /// <summary>Goes on with a subscription of an earlier process.</summary>
    public void Restore(ClientSession session, SubscriptionRequest request, uint? identifier)
    {
        _subscribers.Set(Subscription.Of(session, request, identifier));
        session.Subscriptions.Add(request.Filter);
    }

    /// <summary>Whether a message has to be refused: there is no memory left, a session in which it would wait is full, or nothing more can be retained.</summary>
    public bool IsRefused(string topic, in PublishPacket publish) => memory.IsFull || ((publish.Retain || _queues.IsAnyFull) && IsRefusedNow(topic, publish));

    /// <summary>Begins to look for the retained messages of subscriptions; until it is closed, the search is told of what is retained anew.</summary>
    public RetainedSearch Search(ClientSession session, IEnumerable<Subscription> subscriptions)
    {
        lock (_gate)
            return _retained.Search(session, subscriptions);
    }

    /// <summary>Ends a search.</summary>
    public void Close(RetainedSearch search)
    {
        lock (_gate)
            _retained.Close(search);
    }

    /// <summary>Queues some of the retained messages that were found. After the last one, or when no more fit in, the subscriptions come into force, so that no message is missed.</summary>
    /// <param name="search">What was found.</param>
    /// <param name="subscriptions">All that the search is for, and those that get nothing retained.</param>
    /// <param name="most">How many messages.</param>
    /// <param name="now">The time.</param>
    /// <returns>Whether the subscriptions are in force.</returns>
    public bool Subscribe(RetainedSearch search, IReadOnlyList<NewSubscription> subscriptions, int most, TimeSpan now)
    {
        lock (_gate)
        {
            while (search.MoveNext())
            {
                if (search.Current is var (subscription, topic) && !SendRetained(subscription, topic, now))
                    break;
                if (--most == 0)
                    return false;
            }
            foreach (var (subscription, request, identifier) in subscriptions)
            {
                _subscribers.Set(subscription);
                subscription.Session.Subscribed(request, identifier);
            }
            return true;
        }
    }

    /// <summary>Takes a subscription out.</summary>
    /// <returns>False when there was none.</returns>
    public bool Unsubscribe(ClientSession session, string filter)
    {
        lock (_gate)
        {
            if (!session.Unsubscribed(filter))
                return false;
            _subscribers.Remove(session, filter);
            return true;
        }
    }

    /// <summary>The client of a session was away, and is here again.</summary>
    public void Returned(ClientSession session)
    {
        lock (_gate)
        {
            foreach (var filter in session.Subscriptions.Where(static filter => Topic.IsShare(filter)))
                _subscribers.Returned(session, filter);
        }
    }

    /// <summary>A session is over.</summary>
    public void Forget(ClientSession session)
    {
        lock (_gate)
        {
            foreach (var filter in session.Subscriptions)
                _subscribers.Remove(session, filter);
            session.Subscriptions.Clear();
            _queues.Forget(session);
            lock (session.Gate)
                session.End(); // After the last message for it.
        }
    }

    /// <summary>Queues that were full, and have room again, are forgotten as such.</summary>
    public void LookForRoom()
    {
        lock (_gate)
            _queues.LookForRoom();
    }

    /// <summary>Retained messages that have expired are forgotten.</summary>
    /// <param name="now">The time.</param>
    /// <param name="most">How many at once.</param>
    /// <returns>False when there may be more.</returns>
    public bool Expire(TimeSpan now, int most)
    {
        lock (_gate)
            return _retained.Expire(now, most);
    }

    // Apart from IsRefused: what it captures would be allocated for each message.
    private bool IsRefusedNow(string topic, in PublishPacket publish)
    {
        lock (_gate)
        {
            if (publish.Retain && _retained.IsRefused(topic, publish))
                return true;
            if (!_queues.IsAnyFull)
                return false;
            var own = _subscribers.Find(topic, out var groups);
            foreach (var match in own)
            {
                if (IsRefused(match, topic))
                    return true;
            }
            foreach (var group in groups)
            {
                if (IsRefused(group.Choose(topic), topic))
                    return true;
            }
            return false;
        }
    }

    private bool IsRefused(Subscription match, string topic) => match.Qos > 0 && _queues.IsFull(match.Session) && match.Session.Permissions.MayRead(topic);

    private static bool IsDue(Subscription match, ClientSession? from) => !match.NoLocal || match.Session != from; // [MQTT-3.8.3-3]

    // False when nothing more fits in.
    private bool SendRetained(Subscription subscription, RetainedTopic topic, TimeSpan now)
    {
        if (topic.Message is not { } message || message.IsExpired(now))
            return true;
        return _queues.AddIfItFits(subscription.Session, subscription.CopyOf(message) with { Retain = true }); // [MQTT-3.3.1-8] of 3.1.1
    }
}
