using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>All subscriptions, level by level, so that a topic finds those that match without looking at the others.</summary>
internal sealed class SubscriptionTree
{
    private readonly List<SharedGroup> _groups = [];

    /// <summary>The level above the first.</summary>
    public SubscriptionNode Root { get; } = new();

    /// <summary>Adds a subscription, or replaces the one of the same session and filter [MQTT-3.8.4-3].</summary>
    /// <returns>Whether it is new.</returns>
    public bool Set(Subscription subscription)
    {
        var (share, filter) = Split(subscription.Filter);
        var node = Root;
        foreach (var range in filter.AsSpan().Split('/'))
            node = node.ChildOrNew(filter.AsSpan(range));
        return node.Set(subscription, share);
    }

    /// <summary>Takes a subscription out.</summary>
    public void Remove(ClientSession session, string filter)
    {
        var (share, inner) = Split(filter);
        Remove(Root, inner, session, share);
    }

    /// <summary>A member of a shared subscription was away, and is here again.</summary>
    public void Returned(ClientSession session, string filter)
    {
        var (share, inner) = Split(filter);
        SubscriptionNode? node = Root;
        foreach (var range in inner.AsSpan().Split('/'))
            node = node?.ChildOf(inner.AsSpan(range));
        node?.Returned(session, share);
    }

    /// <summary>Collects the subscriptions that match a topic name; of each shared one, the member whose turn it is.</summary>
    public void Match(string topic, List<Subscription> matches)
    {
        Match(topic, matches, _groups);
        foreach (var group in _groups)
            matches.Add(group.Choose(topic));
    }

    /// <summary>Collects the subscriptions that match a topic name, the shared ones apart.</summary>
    /// <remarks>Filters that begin with a wildcard do not match topics that begin with $ [MQTT-4.7.2-1].</remarks>
    /// <returns>How many levels of filters were looked at.</returns>
    public int Match(string topic, List<Subscription> matches, List<SharedGroup> groups)
    {
        matches.Clear();
        groups.Clear();
        return Match(Root, topic, 0, hidden: topic.StartsWith('$'), matches, groups);
    }

    private static int Match(SubscriptionNode node, string topic, int start, bool hidden, List<Subscription> matches, List<SharedGroup> groups)
    {
        var steps = 1;
        if (!hidden && node.Hash is { } hash)
        {
            Collect(hash); // '#' also matches its parent [MQTT-5.0, 4.7.1.2].
            steps++;
        }
        if (start > topic.Length)
        {
            Collect(node);
            return steps;
        }
        var slash = topic.IndexOf('/', start);
        var end = slash < 0 ? topic.Length : slash;
        if (node.Child(topic.AsSpan(start, end - start)) is { } child)
            steps += Match(child, topic, end + 1, hidden: false, matches, groups);
        if (!hidden && node.Plus is { } plus)
            steps += Match(plus, topic, end + 1, hidden: false, matches, groups);
        return steps;

        void Collect(SubscriptionNode ending)
        {
            ending.Collect(matches);
            ending.Collect(groups);
        }
    }

    // Branches that have become empty go with what was taken out.
    private static void Remove(SubscriptionNode node, ReadOnlySpan<char> rest, ClientSession session, string share)
    {
        var slash = rest.IndexOf('/');
        var level = slash < 0 ? rest : rest[..slash];
        if (node.ChildOf(level) is not { } child)
            return;
        if (slash < 0)
            child.Remove(session, share);
        else
            Remove(child, rest[(slash + 1)..], session, share);
        if (child.IsEmpty)
            node.RemoveChild(level);
    }

    private static (string Share, string Filter) Split(string filter) =>
        Topic.TrySplitShare(filter, out var share, out var inner) ? (share.ToString(), inner.ToString()) : ("", filter);
}
