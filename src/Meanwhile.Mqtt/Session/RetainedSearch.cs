namespace Meanwhile.Mqtt.Session;

/// <summary>
/// Which retained messages belong to the filters of one SUBSCRIBE: the tree of filters against the tree of topics, in one walk, in slices, and without a lock. What is retained
/// anew until the subscriptions are in force is reported to it, so that it comes as it is then, once.
/// </summary>
internal sealed class RetainedSearch
{
    private readonly ClientSession _session;
    private readonly int _most;
    private readonly SubscriptionTree _filters = new();
    private readonly Stack<Place> _places = new();
    private readonly Dictionary<Subscription, List<RetainedTopic>> _found = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<RetainedTopic> _renewed = [];
    private readonly Queue<RetainedTopic> _renewedInOrder = new();
    private readonly List<Subscription> _matches = [];
    private readonly IEnumerator<(Subscription Subscription, RetainedTopic Topic)?> _due;
    private int _count;

    /// <summary>Begins one.</summary>
    /// <param name="session">Who subscribes.</param>
    /// <param name="subscriptions">To what, with different filters.</param>
    /// <param name="topics">The topics that have retained messages.</param>
    /// <param name="most">How many messages it is worth to find: they have to wait until they are answered.</param>
    public RetainedSearch(ClientSession session, IEnumerable<Subscription> subscriptions, TopicBranch topics, int most)
    {
        (_session, _most, _due) = (session, most, Due().GetEnumerator());
        foreach (var subscription in subscriptions)
        {
            _filters.Set(subscription);
            _found.Add(subscription, []);
        }
        if (_found.Count > 0)
            _places.Push(new Place(_filters.Root, topics, 0, IsBelow: false));
    }

    /// <summary>How many pairs of a filter's level and a topic's have been looked at.</summary>
    public long Steps { get; private set; }

    /// <summary>Searches on.</summary>
    /// <param name="steps">How far, at most.</param>
    /// <returns>False when everything was searched, or enough was found.</returns>
    public bool Go(int steps)
    {
        for (; steps > 0 && _count < _most && _places.TryPop(out var place); steps--)
        {
            Steps++;
            if (place.IsBelow)
                All(place.Filter, place.Topic);
            else if (place.Start <= place.Topic.End)
                Along(place);
            else
                At(place);
        }
        if (_places.Count > 0 && _count < _most)
            return true;
        foreach (var topics in _found.Values)
            topics.Sort(static (one, other) => one.Number.CompareTo(other.Number));
        return false;
    }

    /// <summary>Something was retained since the search began.</summary>
    public void Renew(RetainedTopic topic)
    {
        if (_renewed.Add(topic))
            _renewedInOrder.Enqueue(topic);
    }

    /// <summary>What is due, in the order of the filters, and in the order in which topics came to be retained; null for a step that finds nothing.</summary>
    public (Subscription Subscription, RetainedTopic Topic)? Current => _due.Current;

    /// <summary>Goes to what is due next, once everything was searched. As long as what is retained does not change, false is the end.</summary>
    public bool MoveNext() => _due.MoveNext();

    private IEnumerable<(Subscription Subscription, RetainedTopic Topic)?> Due()
    {
        foreach (var (subscription, topics) in _found)
        {
            foreach (var topic in topics)
                yield return _renewed.Contains(topic) ? null : (subscription, topic);
        }
        while (_renewedInOrder.TryDequeue(out var topic))
        {
            _renewed.Remove(topic);
            yield return null;
            if (!_session.Permissions.MayRead(topic.Name))
                continue;
            _matches.Clear();
            _filters.Match(topic.Name, _matches);
            foreach (var subscription in _matches.ToArray())
                yield return (subscription, topic);
        }
    }

    // Between two levels of a branch.
    private void Along(Place place)
    {
        var (filter, topic, start, _) = place;
        var end = TopicBranch.EndOfLevel(topic.Path, start);
        var isHidden = start == 0 && topic.Path.StartsWith('$'); // [MQTT-4.7.2-1]
        if (!isHidden && filter.Hash is { } hash)
            _places.Push(new Place(hash, topic, end + 1, IsBelow: true));
        if (!isHidden && filter.Plus is { } plus)
            _places.Push(new Place(plus, topic, end + 1, IsBelow: false));
        if (filter.Child(topic.Path.AsSpan(start, end - start)) is { } child)
            _places.Push(new Place(child, topic, end + 1, IsBelow: false));
    }

    // At the end of a branch: on each side there may be thousands of names, so the smaller side is gone through.
    private void At(Place place)
    {
        var (filter, topic, start, _) = place;
        Add(filter, topic.Own);
        if (filter.Hash is { } hash)
            Add(hash, topic.Own); // '#' also matches its parent [MQTT-5.0, 4.7.1.2].
        if ((filter.Plus ?? filter.Hash) is not null || filter.Names.Count >= topic.Branches.Count)
        {
            foreach (var branch in topic.Branches.Values)
                _places.Push(new Place(filter, branch, start, IsBelow: false));
            return;
        }
        foreach (var name in filter.Names)
        {
            if (topic.Branches.TryGetValue(name, out var branch))
                _places.Push(new Place(filter, branch, start, IsBelow: false));
        }
    }

    private void All(SubscriptionNode filter, TopicBranch topic)
    {
        Add(filter, topic.Own);
        foreach (var branch in topic.Branches.Values)
            _places.Push(new Place(filter, branch, 0, IsBelow: true));
    }

    private void Add(SubscriptionNode filter, RetainedTopic? topic)
    {
        if (topic is null)
            return;
        _matches.Clear();
        filter.Collect(_matches);
        if (_matches.Count == 0 || !_session.Permissions.MayRead(topic.Name))
            return;
        foreach (var subscription in _matches)
            _found[subscription].Add(topic);
        _count += _matches.Count;
    }

    // The filter's levels match the topic's up to a place in its path; IsBelow: and all that follow.
    private readonly record struct Place(SubscriptionNode Filter, TopicBranch Topic, int Start, bool IsBelow);
}
