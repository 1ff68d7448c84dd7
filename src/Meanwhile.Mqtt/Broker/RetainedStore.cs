using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Retained messages within their limits, in the journal, and those who look for them. Whoever uses it holds the router's lock.</summary>
/// <param name="limits">How much may be retained.</param>
/// <param name="memory">Whether there is any left.</param>
/// <param name="journal">Where they are kept.</param>
/// <param name="refused">Told of messages that are not retained.</param>
internal sealed class RetainedStore(BrokerLimits limits, MemoryWatch memory, Journal journal, Action<Refusal> refused)
{
    private readonly RetainedMessages _messages = new();
    private readonly List<RetainedSearch> _searches = []; // For subscriptions that are not in force yet.

    /// <summary>How many there are.</summary>
    public int Count => _messages.Count;

    /// <summary>The memory that they take, in bytes, about.</summary>
    public long Bytes => _messages.Bytes;

    /// <summary>Goes on with what an earlier process has retained.</summary>
    public void Restore(Message message) => _messages.Set(message);

    /// <summary>Whether a message that has come has to be refused, because there is no room to retain it.</summary>
    public bool IsRefused(string topic, in PublishPacket publish) => publish.Payload.Length > 0 && HasNoRoomFor(topic, Message.SizeOf(topic, publish));

    /// <summary>Keeps a message in the place of the last one of its topic.</summary>
    /// <param name="message">The message.</param>
    /// <param name="from">Who published it; null for the host.</param>
    /// <returns>The batch of the journal that it is in; 0 for none.</returns>
    public long Retain(Message message, ClientSession? from)
    {
        if (message.Payload.IsEmpty && !_messages.Contains(message.Topic))
            return 0;
        if ((message.Qos == 0 || from is null) && !message.Payload.IsEmpty && !Permissions.IsOfServer(message.Topic) && HasNoRoomFor(message.Topic, message.Size))
        {
            // Its publisher cannot be told: nothing answers a message at QoS 0, or a will.
            refused(new Refusal(RefusalKind.Message, from?.ClientId ?? "", ReasonCode.QuotaExceeded, $"{message.Topic}: it is sent to its subscribers, but not retained"));
            return 0;
        }
        if (_messages.Set(message) is { } topic)
        {
            foreach (var search in _searches)
                search.Renew(topic);
        }
        return Keep(message.Topic, message.Payload.IsEmpty ? null : message);
    }

    /// <summary>Begins to look for the messages of subscriptions; until it is closed, the search is told of what is retained anew.</summary>
    public RetainedSearch Search(ClientSession session, IEnumerable<Subscription> subscriptions)
    {
        var search = new RetainedSearch(session, subscriptions, _messages.Topics, limits.QueuedMessages + 1);
        _searches.Add(search);
        return search;
    }

    /// <summary>Ends a search.</summary>
    public void Close(RetainedSearch search) => _searches.Remove(search);

    /// <summary>Forgets those that have expired.</summary>
    /// <param name="now">The time.</param>
    /// <param name="most">How many at once.</param>
    /// <returns>False when there may be more.</returns>
    public bool Expire(TimeSpan now, int most)
    {
        var expired = _messages.Expire(now, most);
        foreach (var topic in expired)
            Keep(topic, null);
        return expired.Count < most;
    }

    private bool HasNoRoomFor(string topic, long size)
    {
        if (memory.IsFull || (_messages.Count >= limits.RetainedMessages && !_messages.Contains(topic)))
            return true;
        var growth = _messages.Growth(topic, size);
        return growth > 0 && _messages.Bytes + growth > limits.RetainedBytes;
    }

    // What the broker says of itself is true of this process alone.
    private long Keep(string topic, Message? message) => journal.IsKept && !Permissions.IsOfServer(topic) ? journal.Append(new RetainedChanged(topic, message), null) : 0;
}
