using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>The last retained message of each topic.</summary>
internal sealed class RetainedMessages
{
    private readonly Dictionary<string, Message> _messages = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _messages.Count;

    /// <summary>Whether a topic has one.</summary>
    public bool Contains(string topic) => _messages.ContainsKey(topic);

    /// <summary>Keeps a message in the place of the last one [MQTT-3.3.1-5]; an empty one only takes that away [MQTT-3.3.1-6], [MQTT-3.3.1-7].</summary>
    public void Set(Message message)
    {
        if (message.Payload.IsEmpty)
            _messages.Remove(message.Topic);
        else
            _messages[message.Topic] = message;
    }

    /// <summary>Those that match a filter and have not expired.</summary>
    public IEnumerable<Message> Matching(string filter, TimeSpan now)
    {
        if (filter.AsSpan().IndexOfAny('+', '#') >= 0)
            return _messages.Values.Where(message => !message.IsExpired(now) && Topic.Matches(filter, message.Topic));
        return _messages.TryGetValue(filter, out var one) && !one.IsExpired(now) ? [one] : [];
    }

    /// <summary>Forgets those that have expired.</summary>
    /// <returns>Their topics.</returns>
    public IReadOnlyList<string> Expire(TimeSpan now)
    {
        List<string> expired = [.. _messages.Values.Where(message => message.IsExpired(now)).Select(message => message.Topic)];
        foreach (var topic in expired)
            _messages.Remove(topic);
        return expired;
    }
}
