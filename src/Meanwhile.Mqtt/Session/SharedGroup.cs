namespace Meanwhile.Mqtt.Session;

/// <summary>The sessions that share one subscription: each message goes to one of them.</summary>
internal sealed class SharedGroup
{
    private readonly List<Subscription> _members = [];
    private int _next;

    /// <summary>Nobody shares it any more.</summary>
    public bool IsEmpty => _members.Count == 0;

    /// <summary>Adds a member, or changes its options.</summary>
    public bool Set(Subscription subscription)
    {
        var isNew = !Remove(subscription.Session);
        _members.Add(subscription);
        return isNew;
    }

    /// <summary>Takes a member out.</summary>
    public bool Remove(ClientSession session) => _members.RemoveAll(member => member.Session == session) > 0;

    /// <summary>
    /// Whose turn it is: in a circle over those who are there, and over all when nobody is. Who may not read the topic is passed over, and, as long as another one
    /// has room, whose queue is full.
    /// </summary>
    public Subscription Choose(string topic)
    {
        Subscription? away = null, full = null;
        for (var tries = 0; tries < _members.Count; tries++)
        {
            var member = _members[(int)((uint)_next++ % (uint)_members.Count)];
            if (!member.Session.Permissions.MayRead(topic))
                continue;
            if (member.Session.IsFull)
                full ??= member;
            else if (member.Session.IsConnected)
                return member;
            else
                away ??= member;
        }
        _next++; // Who is away takes turns as well.
        return away ?? full ?? _members[0];
    }
}
