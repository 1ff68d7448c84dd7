using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Access;

/// <summary>What one client may do.</summary>
/// <param name="rules">Those that are about it, filled in.</param>
internal sealed class ClientRules(IReadOnlyList<AccessRule> rules)
{
    /// <summary>Whether it may send messages to a topic.</summary>
    public bool MayPublish(string topic) => Allows(AccessKind.Write, topic);

    /// <summary>Whether it may get messages of a topic.</summary>
    public bool MayRead(string topic) => Allows(AccessKind.Read, topic);

    /// <summary>Whether it may subscribe to a filter: where that has wildcards, it is enough that some topic could be read.</summary>
    public bool MaySubscribe(string filter) => Topic.IsName(filter)
        ? MayRead(filter)
        : rules.Any(rule => rule.Kind.HasFlag(AccessKind.Read) && Topic.Overlap(rule.Filter, filter));

    private bool Allows(AccessKind kind, string topic)
    {
        var isAllowed = false;
        foreach (var rule in rules)
        {
            var isDenial = rule.Kind == AccessKind.Deny;
            if ((!isDenial && (isAllowed || !rule.Kind.HasFlag(kind))) || !Topic.Matches(rule.Filter, topic))
                continue;
            if (isDenial)
                return false;
            isAllowed = true;
        }
        return isAllowed;
    }
}
