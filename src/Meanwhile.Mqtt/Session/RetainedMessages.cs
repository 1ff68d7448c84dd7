using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Mqtt.Session;

/// <summary>The last retained message of each topic.</summary>
internal sealed class RetainedMessages
{
    private readonly Dictionary<string, RetainedTopic> _topics = new(StringComparer.Ordinal);

    // Those whose messages expire, the next one first.
    private readonly SortedSet<RetainedTopic> _expiring = new(Comparer<RetainedTopic>.Create(static (one, other) =>
        (one.Message!.ExpiresAt!.Value, one.Number).CompareTo((other.Message!.ExpiresAt!.Value, other.Number))));

    private long _lastNumber;

    /// <summary>How many there are.</summary>
    public int Count => _topics.Count;

    /// <summary>The memory that they take, in bytes, about.</summary>
    public long Bytes { get; private set; }

    /// <summary>Their topics, as they are at this moment.</summary>
    public TopicBranch Topics { get; private set; } = TopicBranch.Root;

    /// <summary>Whether a topic has one.</summary>
    public bool Contains(string topic) => _topics.ContainsKey(topic);

    /// <summary>How much more memory they take with a message of this size in the place of the last one, in bytes.</summary>
    public long Growth(string topic, long size) => size - (_topics.TryGetValue(topic, out var last) ? last.Message!.Size : 0);

    /// <summary>Keeps a message in the place of the last one [MQTT-3.3.1-5]; an empty one only takes that away [MQTT-3.3.1-6], [MQTT-3.3.1-7].</summary>
    /// <returns>Its topic; null when there is nothing to keep.</returns>
    public RetainedTopic? Set(Message message)
    {
        if (_topics.TryGetValue(message.Topic, out var topic))
        {
            StopExpiring(topic);
            Bytes -= topic.Message!.Size;
        }
        if (message.Payload.IsEmpty)
        {
            if (topic is not null)
                Remove(topic);
            return null;
        }
        if (topic is null)
        {
            topic = new RetainedTopic(message.Topic, ++_lastNumber);
            _topics.Add(topic.Name, topic);
            Topics = Topics.With(topic);
        }
        topic.Message = message;
        Bytes += message.Size;
        if (message.ExpiresAt is not null)
            _expiring.Add(topic);
        return topic;
    }

    /// <summary>Forgets those that have expired.</summary>
    /// <param name="most">How many at once.</param>
    /// <returns>Their topics.</returns>
    public IReadOnlyList<string> Expire(TimeSpan now, int most)
    {
        var expired = new List<string>();
        while (expired.Count < most && _expiring.Min is { } next && next.Message!.IsExpired(now))
        {
            StopExpiring(next);
            Bytes -= next.Message.Size;
            Remove(next);
            expired.Add(next.Name);
        }
        return expired;
    }

    private void StopExpiring(RetainedTopic topic)
    {
        if (topic.Message!.ExpiresAt is not null)
            _expiring.Remove(topic);
    }

    private void Remove(RetainedTopic topic)
    {
        topic.Message = null;
        _topics.Remove(topic.Name);
        Topics = Topics.Without(topic.Name);
    }
}
