namespace Meanwhile.Mqtt.Session;

/// <summary>The sessions that share one subscription: each message goes to one of them. Thousands of members cost a message no more than a few do.</summary>
internal sealed class SharedGroup
{
    // For each message: those that may not read it, or are full.
    private const int MostPassedOver = 256;

    private readonly Circle _here = new(); // And those that have gone since they last had their turn.
    private readonly Circle _away = new();

    /// <summary>Nobody shares it any more.</summary>
    public bool IsEmpty => _here.Count + _away.Count == 0;

    /// <summary>Adds a member, or changes its options.</summary>
    public bool Set(Subscription subscription)
    {
        var isNew = !Remove(subscription.Session);
        (subscription.Session.IsConnected ? _here : _away).Add(subscription);
        return isNew;
    }

    /// <summary>Takes a member out.</summary>
    public bool Remove(ClientSession session) => _here.Take(session) is not null || _away.Take(session) is not null;

    /// <summary>A member that was away is here again.</summary>
    public void Returned(ClientSession session)
    {
        if (_away.Take(session) is { } member)
            _here.Add(member);
    }

    /// <summary>
    /// Whose turn it is: in a circle over those who are there, and over all others when nobody is. Who may not read the topic is passed over, and, as long as another one
    /// has room, whose queue is full; but not so many of them that others would have to wait for it.
    /// </summary>
    public Subscription Choose(string topic) =>
        Choose(_here, topic, out var fullHere) ?? Choose(_away, topic, out var fullAway) ?? fullHere ?? fullAway ?? _here.Current ?? _away.Current!;

    private Subscription? Choose(Circle circle, string topic, out Subscription? full)
    {
        full = null;
        for (var left = Math.Min(circle.Count, MostPassedOver); left > 0 && circle.Current is { } member;)
        {
            if (circle == _here && !member.Session.IsConnected)
            {
                _away.Add(_here.Take(member.Session)!); // Once for each time that it goes.
                continue;
            }
            circle.GoOn();
            left--;
            if (!member.Session.Permissions.MayRead(topic))
                continue;
            if (!member.Session.IsFull)
                return member;
            full ??= member;
        }
        return null;
    }

    // In which each has its turn.
    private sealed class Circle
    {
        private readonly LinkedList<Subscription> _members = [];
        private readonly Dictionary<ClientSession, LinkedListNode<Subscription>> _places = [];
        private LinkedListNode<Subscription>? _current;

        public int Count => _members.Count;

        public Subscription? Current => _current?.Value;

        public void GoOn() => _current = _current?.Next ?? _members.First;

        public void Add(Subscription member)
        {
            _places.Add(member.Session, _members.AddLast(member));
            _current ??= _members.First;
        }

        public Subscription? Take(ClientSession session)
        {
            if (!_places.Remove(session, out var place))
                return null;
            if (_current == place)
                GoOn();
            _members.Remove(place);
            _current = _members.Count > 0 ? _current : null;
            return place.Value;
        }
    }
}
