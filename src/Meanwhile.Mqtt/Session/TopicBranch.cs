using System.Collections.Immutable;

namespace Meanwhile.Mqtt.Session;

/// <summary>
/// A branch of the tree of retained topics. A branch never changes: a change makes a new tree, which shares with the old one whatever is the same, so that an old
/// one can be searched without a lock. Levels that do not fork share a branch: there are at most twice as many branches as topics, however deep these are.
/// </summary>
/// <param name="Path">A topic on it: up to its end, the one of all topics on it.</param>
/// <param name="End">Where the levels of this branch end in the path; those of its own begin where the branch before it ends.</param>
/// <param name="Own">The topic that ends here; null for none.</param>
/// <param name="Branches">Those that go on from here, by their first level.</param>
internal sealed record TopicBranch(string Path, int End, RetainedTopic? Own, ImmutableSortedDictionary<string, TopicBranch> Branches)
{
    private static readonly ImmutableSortedDictionary<string, TopicBranch> None = ImmutableSortedDictionary.Create<string, TopicBranch>(StringComparer.Ordinal);

    /// <summary>A tree without topics.</summary>
    public static TopicBranch Root { get; } = new("", -1, null, None);

    /// <summary>Where the level of a path ends that begins at a place.</summary>
    public static int EndOfLevel(string path, int start) => path.IndexOf('/', start) is var slash and >= 0 ? slash : path.Length;

    /// <summary>The tree with one more topic.</summary>
    public TopicBranch With(RetainedTopic topic)
    {
        var start = End + 1;
        if (start > topic.Name.Length)
            return this with { Own = topic };
        var level = LevelAt(topic.Name, start);
        TopicBranch branch;
        if (!Branches.TryGetValue(level, out var known))
            branch = new TopicBranch(topic.Name, topic.Name.Length, topic, None);
        else if (CommonEnd(topic.Name, known, start + level.Length) is var fork && fork == known.End)
            branch = known.With(topic);
        else
            branch = new TopicBranch(topic.Name, fork, null, None.Add(LevelAt(known.Path, fork + 1), known)).With(topic);
        return this with { Branches = Branches.SetItem(level, branch) };
    }

    /// <summary>The tree without a topic that is in it.</summary>
    public TopicBranch Without(string topic)
    {
        var start = End + 1;
        if (start > topic.Length)
            return this with { Own = null };
        var level = LevelAt(topic, start);
        var rest = Branches[level].Without(topic);
        if (rest is { Own: null, Branches.Count: 1 }) // It does not fork any more.
            rest = rest.Branches.First().Value;
        return this with { Branches = rest is { Own: null, Branches.Count: 0 } ? Branches.Remove(level) : Branches.SetItem(level, rest) };
    }

    private static string LevelAt(string path, int start) => path[start..EndOfLevel(path, start)];

    // Where the levels end that both have: they have those up to a place.
    private static int CommonEnd(string topic, TopicBranch branch, int end)
    {
        while (end < topic.Length && end < branch.End)
        {
            var (next, other) = (EndOfLevel(topic, end + 1), EndOfLevel(branch.Path, end + 1));
            if (next != other || !topic.AsSpan(end, next - end).SequenceEqual(branch.Path.AsSpan(end, next - end)))
                break;
            end = next;
        }
        return end;
    }
}
