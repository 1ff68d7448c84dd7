using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Access;

/// <summary>What one client may do.</summary>
/// <param name="rules">Those that are about it, filled in.</param>
internal sealed class ClientRules(IReadOnlyList<RuleTree> rules)
{
    /// <summary>The rules of a client that may do nothing.</summary>
    public static ClientRules Nothing { get; } = new([]);

    /// <summary>Whether it may send messages to a topic.</summary>
    public bool MayPublish(string topic) => Allows(AccessKind.Write, topic);

    /// <summary>Whether it may get messages of a topic.</summary>
    public bool MayRead(string topic) => Allows(AccessKind.Read, topic);

    /// <summary>Whether it may subscribe to a filter: where that has wildcards, it is enough that some topic could be read.</summary>
    public bool MaySubscribe(string filter) => Topic.IsName(filter) ? MayRead(filter) : rules.Any(tree => tree.MayReadSomeOf(filter));

    private bool Allows(AccessKind kind, string topic)
    {
        var allowed = AccessKind.Deny;
        foreach (var tree in rules)
        {
            if (!tree.Match(topic, ref allowed))
                return false;
        }
        return allowed.HasFlag(kind);
    }
}
