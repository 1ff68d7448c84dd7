namespace Meanwhile.Mqtt.Session;

/// <summary>One level of the tree of subscriptions.</summary>
internal sealed class SubscriptionNode
{
    private Dictionary<string, SubscriptionNode>? _children;
    private Dictionary<ClientSession, Subscription>? _own;
    private Dictionary<string, SharedGroup>? _shared;

    /// <summary>The level '+' below this one.</summary>
    public SubscriptionNode? Plus { get; private set; }

    /// <summary>The level '#' below this one.</summary>
    public SubscriptionNode? Hash { get; private set; }

    /// <summary>The names of the levels below this one.</summary>
    public IReadOnlyCollection<string> Names => _children?.Keys ?? (IReadOnlyCollection<string>)[];

    /// <summary>Nothing hangs on it.</summary>
    public bool IsEmpty => Plus is null && Hash is null && _children is not { Count: > 0 } && _own is not { Count: > 0 } && _shared is not { Count: > 0 };

    /// <summary>The level below this one with a name of a topic.</summary>
    public SubscriptionNode? Child(ReadOnlySpan<char> level) =>
        _children is not null && _children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var child) ? child : null;

    /// <summary>The level below this one as a filter names it.</summary>
    public SubscriptionNode? ChildOf(ReadOnlySpan<char> level) => level switch
    {
        "+" => Plus,
        "#" => Hash,
        _ => Child(level),
    };

    /// <summary>The level below this one as a filter names it, made if missing.</summary>
    public SubscriptionNode ChildOrNew(ReadOnlySpan<char> level)
    {
        if (ChildOf(level) is { } child)
            return child;
        child = new SubscriptionNode();
        if (level is "+")
            Plus = child;
        else if (level is "#")
            Hash = child;
        else
            (_children ??= new(StringComparer.Ordinal)).Add(level.ToString(), child);
        return child;
    }

    /// <summary>Takes a level out.</summary>
    public void RemoveChild(ReadOnlySpan<char> level)
    {
        if (level is "+")
            Plus = null;
        else if (level is "#")
            Hash = null;
        else
            _children?.GetAlternateLookup<ReadOnlySpan<char>>().Remove(level);
    }

    /// <summary>Adds or replaces a subscription that ends here.</summary>
    public bool Set(Subscription subscription, string share)
    {
        if (share.Length == 0)
        {
            var isNew = _own is null || !_own.ContainsKey(subscription.Session);
            (_own ??= [])[subscription.Session] = subscription;
            return isNew;
        }
        _shared ??= new(StringComparer.Ordinal);
        if (!_shared.TryGetValue(share, out var group))
            _shared.Add(share, group = new SharedGroup());
        return group.Set(subscription);
    }

    /// <summary>A member of a shared subscription that ends here was away, and is here again.</summary>
    public void Returned(ClientSession session, string share)
    {
        if (_shared is not null && _shared.TryGetValue(share, out var group))
            group.Returned(session);
    }

    /// <summary>Takes a subscription out that ends here.</summary>
    public void Remove(ClientSession session, string share)
    {
        if (share.Length == 0)
            _own?.Remove(session);
        else if (_shared is not null && _shared.TryGetValue(share, out var group) && group.Remove(session) && group.IsEmpty)
            _shared.Remove(share);
    }

    /// <summary>Adds the subscriptions that end here, but for the shared ones.</summary>
    public void Collect(List<Subscription> matches)
    {
        if (_own is not null)
            matches.AddRange(_own.Values);
    }

    /// <summary>Adds the shared subscriptions that end here.</summary>
    public void Collect(List<SharedGroup> groups)
    {
        if (_shared is not null)
            groups.AddRange(_shared.Values);
    }
}
