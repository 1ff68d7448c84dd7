using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Feeds;

/// <summary>
/// Tells what our subscription brings from what those of an earlier run bring too: a broker that knows of several may send a message once for each. In 5.0 ours
/// has an identifier, which its copies carry [MQTT-3.3.4-3], [MQTT-3.3.4-4]. It is asked for only where there may be others.
/// </summary>
/// <param name="filter">What is subscribed to. Each filter has an identifier of its own: an earlier run may have asked for one too.</param>
internal sealed class SubscriptionMark(string filter)
{
    private const uint Highest = 268_435_455;
    private const int MostTopics = 10_000;

    // Where our subscription has brought a message, and in which order messages come: of a topic and a QoS [MQTT-4.6.0-5].
    private readonly HashSet<(string Topic, int Qos)> _brought = [];
    private volatile bool _isAskedFor;

    /// <summary>Never 0.</summary>
    public uint Identifier { get; } = HashOf(filter);

    /// <summary>Our subscription is marked from now on, for as long as the session.</summary>
    public void AskedFor() => _isAskedFor = true;

    /// <summary>What comes is not marked any more, as in 3.1.1: whatever it is, it is taken.</summary>
    public void GiveUp() => _isAskedFor = false;

    /// <summary>What comes from here on is of another session, which has no subscription of an earlier run.</summary>
    public void Forget()
    {
        _isAskedFor = false;
        _brought.Clear();
    }

    /// <summary>Whether a message that matches the filter is a copy of what our subscription brings, and not to be taken in again. To be asked in the order of receipt.</summary>
    public bool IsCopy(Message message)
    {
        if (!_isAskedFor)
            return false;
        var place = (message.Topic, message.Qos);
        if (!IsMarked(message))
            return _brought.Contains(place); // If not, it may have waited since before our subscription.
        if (!message.Retain && _brought.Count < MostTopics) // What was retained may come before what has waited.
            _brought.Add(place);
        return false;
    }

    private bool IsMarked(Message message)
    {
        foreach (var property in message.Properties)
        {
            if (property.Id == PropertyId.SubscriptionIdentifier && property.Number == Identifier)
                return true;
        }
        return false;
    }

    // FNV-1a: it has to be the same in each run.
    private static uint HashOf(string filter)
    {
        var hash = 2_166_136_261;
        foreach (var character in filter)
            hash = unchecked((hash ^ character) * 16_777_619);
        return 1 + (hash % Highest);
    }
}
