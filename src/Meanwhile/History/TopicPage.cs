namespace Meanwhile.History;

/// <summary>
/// Some topics in their order: the first ones, up to so many. A page begins after a topic and not at a number, so that series that come and go move none across
/// its edge.
/// </summary>
/// <param name="wanted">Which topics count.</param>
/// <param name="after">Those after this one; null for all.</param>
/// <param name="limit">How many at most.</param>
internal sealed class TopicPage(Func<string, bool> wanted, string? after = null, int limit = int.MaxValue)
{
    private readonly SortedSet<string> _topics = new(StringComparer.Ordinal);
    private string? _end;
    private string? _written;

    /// <summary>In their order.</summary>
    public IReadOnlyCollection<string> Topics => _topics;

    /// <summary>Where the next page begins: after this topic; null when there is none.</summary>
    public string? Next => _end is null && (_written ?? _topics.Max) == _topics.Max ? null : _written ?? _topics.Max;

    /// <summary>Adds a topic, unless it belongs to another page.</summary>
    /// <param name="dropped">One that has had to go for it; null for none.</param>
    public bool Add(string topic, out string? dropped)
    {
        dropped = null;
        if (string.CompareOrdinal(topic, after) <= 0 && after is not null)
            return false;
        if ((_end is not null && string.CompareOrdinal(topic, _end) >= 0) || !wanted(topic))
            return false;
        if (_topics.Add(topic) && _topics.Count > limit)
            dropped = DropLast();
        return dropped != topic;
    }

    /// <summary>Leaves the last topic to the next page.</summary>
    public string DropLast()
    {
        _topics.Remove(_end = _topics.Max!);
        return _end;
    }

    /// <summary>What comes after this topic may be left to the next page.</summary>
    public void Written(string topic) => _written = topic;
}
