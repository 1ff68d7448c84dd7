namespace Meanwhile.Access;

/// <summary>Rules as a tree of their filters: a topic meets those that match it and no others, however many there are.</summary>
internal sealed class RuleTree
{
    private readonly Node _root = new();

    /// <summary>Adds a rule, whose filter is filled in.</summary>
    public void Add(AccessRule rule)
    {
        var node = _root;
        foreach (var range in rule.Filter.AsSpan().Split('/'))
        {
            node.IsReadable |= rule.Kind.HasFlag(AccessKind.Read);
            node = node.ChildOrNew(rule.Filter[range]);
        }
        node.IsReadable |= rule.Kind.HasFlag(AccessKind.Read);
        node.Allowed |= rule.Kind;
        node.IsDenied |= rule.Kind == AccessKind.Deny;
    }

    /// <summary>What the rules that match a topic allow together.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="allowed">What they allow.</param>
    /// <returns>False when one of them denies it.</returns>
    public bool Match(string topic, ref AccessKind allowed) => Match(_root, topic, 0, ref allowed);

    /// <summary>Whether there may be a topic that a filter matches, and one of the rules that let it be read.</summary>
    public bool MayReadSomeOf(string filter) => MayReadSomeOf(_root, filter, 0);

    private static bool Match(Node node, string topic, int start, ref AccessKind allowed)
    {
        var isHidden = start == 0 && topic.StartsWith('$'); // [MQTT-4.7.2-1]
        if (!isHidden && node.Hash is { } hash && !hash.Allow(ref allowed))
            return false; // '#' also matches its parent [MQTT-5.0, 4.7.1.2].
        if (start > topic.Length)
            return node.Allow(ref allowed);
        var end = EndOfLevel(topic, start);
        return (node.Child(topic.AsSpan(start, end - start)) is not { } child || Match(child, topic, end + 1, ref allowed))
            && (isHidden || node.Plus is not { } plus || Match(plus, topic, end + 1, ref allowed));
    }

    private static bool MayReadSomeOf(Node node, string filter, int start)
    {
        if (!node.IsReadable)
            return false;
        if (start > filter.Length)
            return node.Allowed.HasFlag(AccessKind.Read) || node.Hash?.IsReadable == true;
        var end = EndOfLevel(filter, start);
        var level = filter.AsSpan(start, end - start);
        var isRoot = start == 0;
        if (!(isRoot && level is ['$', ..]) && (node.Hash?.IsReadable == true || (node.Plus is { } plus && (level is "#" ? plus.IsReadable : MayReadSomeOf(plus, filter, end + 1)))))
            return true;
        if (level is not ("+" or "#"))
            return node.Child(level) is { } child && MayReadSomeOf(child, filter, end + 1);
        var isLast = level is "#";
        return (isLast && node.Allowed.HasFlag(AccessKind.Read))
            || node.Children.Any(inner => !(isRoot && inner.Key.StartsWith('$')) && (isLast ? inner.Value.IsReadable : MayReadSomeOf(inner.Value, filter, end + 1)));
    }

    private static int EndOfLevel(string topic, int start) => topic.IndexOf('/', start) is var slash and >= 0 ? slash : topic.Length;

    private sealed class Node
    {
        public Dictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public Node? Plus { get; private set; }

        public Node? Hash { get; private set; }

        /// <summary>What rules allow that end here.</summary>
        public AccessKind Allowed { get; set; }

        /// <summary>One that ends here denies.</summary>
        public bool IsDenied { get; set; }

        /// <summary>One that ends here, or goes on from here, lets something be read.</summary>
        public bool IsReadable { get; set; }

        public Node? Child(ReadOnlySpan<char> level) => Children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var child) ? child : null;

        public Node ChildOrNew(string level)
        {
            if (level == "+")
                return Plus ??= new Node();
            if (level == "#")
                return Hash ??= new Node();
            if (!Children.TryGetValue(level, out var child))
                Children.Add(level, child = new Node());
            return child;
        }

        public bool Allow(ref AccessKind allowed)
        {
            allowed |= Allowed;
            return !IsDenied;
        }
    }
}
