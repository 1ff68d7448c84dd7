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
    private readonly RetainedMessages _retained = new();
    private readonly MergedCopies _copies = new();
    private readonly List<RetainedSearch> _searches = []; // For subscriptions that are not in force yet.
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
            var routed = message.Retain ? new Routed(Retain(message, from), IsKept: true) : default;
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
    public void Restore(Message retained) => _retained.Set(retained);

    /// <summary>Goes on with a subscription of an earlier process.</summary>
    public void Restore(ClientSession session, SubscriptionRequest request, uint? identifier)
    {
        _subscribers.Set(Subscription.Of(session, request, identifier));
        session.Subscriptions.Add(request.Filter);
    }

    /// <summary>Whether a message has to be refused: there is no memory left, a session in which it would wait is full, or nothing more can be retained.</summary>
    public bool IsRefused(string topic, bool retain, long payload) => memory.IsFull || ((retain || _queues.IsAnyFull) && IsRefusedNow(topic, retain, payload));

    /// <summary>What a client is to be granted.</summary>
    /// <param name="request">What it asks for.</param>
    /// <param name="isNew">It has no such subscription.</param>
    /// <param name="subscriptions">How many it has.</param>
    /// <param name="levels">How many levels they have from the first '+' of each on.</param>
    /// <param name="length">How many characters they have.</param>
    public ReasonCode Judge(SubscriptionRequest request, bool isNew, int subscriptions, long levels, long length)
    {
        if (Topic.Levels(request.Filter) > limits.TopicLevels)
            return ReasonCode.TopicFilterInvalid;
        var more = Topic.LevelsFromPlus(request.Filter);
        var isTooMany = subscriptions >= limits.SubscriptionsPerClient || (more > 0 && levels + more > limits.LevelsPerClient) || length + request.Filter.Length > limits.FilterLengthPerClient;
        return isNew && (memory.IsFull || isTooMany || _subscribers.Bytes + SubscriptionIndex.SizeOf(request.Filter) > limits.SubscriptionBytes) ? ReasonCode.QuotaExceeded : (ReasonCode)request.Qos;
    }

    /// <summary>Begins to look for the retained messages of subscriptions; until it is closed, the search is told of what is retained anew.</summary>
    public RetainedSearch Search(ClientSession session, IEnumerable<Subscription> subscriptions)
    {
        lock (_gate)
        {
            var search = new RetainedSearch(session, subscriptions, _retained.Topics, limits.QueuedMessages + 1);
            _searches.Add(search);
            return search;
        }
    }

    /// <summary>Ends a search.</summary>
    public void Close(RetainedSearch search)
    {
        lock (_gate)
            _searches.Remove(search);
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
        {
            var expired = _retained.Expire(now, most);
            foreach (var topic in expired)
                KeepRetained(topic, null);
            return expired.Count < most;
        }
    }

    // Apart from IsRefused: what it captures would be allocated for each message.
    private bool IsRefusedNow(string topic, bool retain, long payload)
    {
        lock (_gate)
        {
            if (retain && payload > 0 && HasNoRoomFor(topic, payload))
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

    private long Retain(Message message, ClientSession? from)
    {
        if (message.Payload.IsEmpty && !_retained.Contains(message.Topic))
            return 0;
        if ((message.Qos == 0 || from is null) && !message.Payload.IsEmpty && !Permissions.IsOfServer(message.Topic) && HasNoRoomFor(message.Topic, message.Size))
        {
            // Its publisher cannot be told: nothing answers a message at QoS 0, or a will.
            refused(new Refusal(RefusalKind.Message, from?.ClientId ?? "", ReasonCode.QuotaExceeded, $"{message.Topic}: it is sent to its subscribers, but not retained"));
            return 0;
        }
        if (_retained.Set(message) is { } topic)
        {
            foreach (var search in _searches)
                search.Renew(topic);
        }
        return KeepRetained(message.Topic, message.Payload.IsEmpty ? null : message);
    }

    private bool HasNoRoomFor(string topic, long size)
    {
        if (memory.IsFull || (_retained.Count >= limits.RetainedMessages && !_retained.Contains(topic)))
            return true;
        var growth = _retained.Growth(topic, size);
        return growth > 0 && _retained.Bytes + growth > limits.RetainedBytes;
    }

    // What the broker says of itself is true of this process alone.
    private long KeepRetained(string topic, Message? message) => journal.IsKept && !Permissions.IsOfServer(topic) ? journal.Append(new RetainedChanged(topic, message), null) : 0;

    // False when nothing more fits in.
    private bool SendRetained(Subscription subscription, RetainedTopic topic, TimeSpan now)
    {
        if (topic.Message is not { } message || message.IsExpired(now))
            return true;
        return _queues.AddIfItFits(subscription.Session, subscription.CopyOf(message) with { Retain = true }); // [MQTT-3.3.1-8] of 3.1.1
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
