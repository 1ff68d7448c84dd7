using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Feeds;

/// <summary>Tells which topics a filter matches, once for each message, so without an allocation.</summary>
internal sealed class TopicMatcher
{
    private readonly string _filter;
    private readonly bool _hasWildcards;

    /// <summary>For a filter, shared or not [MQTT-4.8.2-1].</summary>
    public TopicMatcher(string filter)
    {
        _filter = Topic.TrySplitShare(filter, out _, out var inner) ? inner.ToString() : filter;
        _hasWildcards = _filter.AsSpan().IndexOfAny('+', '#') >= 0;
    }

    /// <summary>Whether it matches a topic.</summary>
    public bool Matches(string topic) => _hasWildcards ? Topic.Matches(_filter, topic) : topic == _filter;
}
