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

    /// <summary>Whose turn it is: in a circle over those who are there, and over all when nobody is. Who may not read the topic is passed over.</summary>
    public Subscription Choose(string topic)
    {
        var chosen = Next();
        for (var tries = 0; tries < _members.Count; tries++)
        {
            var member = Next();
            if (!member.Session.Permissions.MayRead(topic))
                continue;
            chosen = member;
            if (member.Session.IsConnected)
                break;
        }
        return chosen;
    }

    private Subscription Next() => _members[(int)((uint)_next++ % (uint)_members.Count)];
}
