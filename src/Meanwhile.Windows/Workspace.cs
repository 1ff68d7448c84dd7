namespace Meanwhile.Windows;

/// <summary>What the series of a table share: their layout, the answer being put together, and nodes laid by for reuse, so that steady work allocates nothing.</summary>
internal sealed class Workspace(WindowLayout layout)
{
    // Enough for the nodes that fall out of the retention at one pruning of a dense series; more would only hold on to a burst's memory.
    private const int NodesLaidBy = 4096;

    private readonly List<Stack<TimeNode>> _nodes = [];
    private readonly Stack<ValueBag> _exactBags = new();
    private readonly Stack<ValueBag> _sketches = new();

    /// <summary>Holds the reading that is being added.</summary>
    public readonly Partials Lifted = new(1, layout.Parts);

    public WindowLayout Layout => layout;

    public bool HasQuantiles { get; } = layout.Statistics.Any(s => s.Kind == StatisticKind.Quantile);

    /// <summary>Readings older than this are left out of every answer.</summary>
    public long CutoffMs { get; set; } = -TimeKey.Farthest;

    /// <summary>Holds the answer to the latest query.</summary>
    public Answer Answer { get; } = new(layout.Parts);

    public ValueBag AnswerValues { get; } = new();

    public TimeNode RentNode(int level, long key)
    {
        var node = level < _nodes.Count && _nodes[level].TryPop(out var used) ? used : new TimeNode(level, Layout.Parts, HasQuantiles);
        node.Reset(key);
        return node;
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
        while (_nodes.Count <= node.Level)
            _nodes.Add(new Stack<TimeNode>());
        if (_nodes[node.Level].Count < NodesLaidBy)
            _nodes[node.Level].Push(node);
    }

    public void Return(ValueBag bag)
    {
        var bags = bag.IsExact ? _exactBags : _sketches;
        bag.Clear();
        if (bags.Count < 32 * NodesLaidBy)
            bags.Push(bag);
    }
}
