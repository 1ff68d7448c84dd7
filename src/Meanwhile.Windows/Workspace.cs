namespace Meanwhile.Windows;

/// <summary>What the series of a table share: their layout, the answer being put together, and nodes laid by for reuse, so that steady work allocates nothing.</summary>
internal sealed class Workspace(WindowLayout layout)
{
    // Enough for the nodes that fall out of the retention at one pruning of a dense series; more would only hold on to a burst's memory.
    private const int NodesLaidBy = 4096;
    private const int FewestPlaces = 8;

    /// <summary>Milliseconds: far beyond any date, and small enough that sums of times and lengths do not overflow.</summary>
    public const long FarthestMs = 1L << 52;

    private readonly Stack<TimeNode> _leaves = new();
    private readonly Stack<TimeNode> _innerNodes = new();
    private readonly Stack<ValueBag> _exactBags = new();
    private readonly Stack<ValueBag> _sketches = new();

    /// <summary>Holds the reading that is being added.</summary>
    public readonly Partials Lifted = new(1, layout.Parts);

    /// <summary>Holds the answer to the latest query.</summary>
    public readonly Partials Answer = new(1, layout.Parts);

    public WindowLayout Layout => layout;

    /// <summary>
    /// How many entries a node can have. Counts and sums alone combine so fast that fewer, longer nodes cost less; of other parts, or where the order of time
    /// matters, much has to be made anew from all entries of a node.
    /// </summary>
    public int MostEntries { get; } = layout.Parts.Width == 0 && !layout.HasQuantiles ? 128 : 64;

    /// <summary>How many entries a node is given by readings in order: they leave room, so that one in ten can be late without a split, which would leave two nodes half full.</summary>
    public int MostInOrder => MostEntries / 16 * 13;

    /// <summary>The memory of the readings of all series, in bytes; without the values that percentiles are made of.</summary>
    public long HeldBytes { get; set; }

    /// <summary>Readings older than this are left out of every answer.</summary>
    public long CutoffMs { get; set; } = -FarthestMs;

    /// <summary>The value that held when the span of the latest query began; null if it is not known. Set by queries that may ask for it.</summary>
    public double? Held { get; set; }

    public ValueBag AnswerValues { get; } = new();

    /// <summary>A node with room for so many entries at first, if none has been laid by.</summary>
    public TimeNode RentNode(bool isLeaf, int capacity = FewestPlaces)
    {
        if ((isLeaf ? _leaves : _innerNodes).TryPop(out var node))
            return node;
        HeldBytes += TimeNode.SizeOf(capacity, isLeaf, layout);
        return new TimeNode(isLeaf, this, capacity);
    }

    public ValueBag RentBag() => _exactBags.TryPop(out var bag) ? bag : new ValueBag();

    /// <summary>A bag that will hold many values: one that has held many before, if possible.</summary>
    public ValueBag RentSketch()
    {
        var bag = _sketches.TryPop(out var used) ? used : new ValueBag();
        bag.ToSketch();
        return bag;
    }

    public void Return(TimeNode node)
    {
        node.RemoveFirst(node.Count);
        var nodes = node.IsLeaf ? _leaves : _innerNodes;
        if (nodes.Count < NodesLaidBy)
            nodes.Push(node);
        else
            HeldBytes -= TimeNode.SizeOf(node.Capacity, node.IsLeaf, layout);
    }

    public void Return(ValueBag bag)
    {
        var bags = bag.IsExact ? _exactBags : _sketches;
        bag.Clear();
        if (bags.Count < 32 * NodesLaidBy)
            bags.Push(bag);
    }
}
