namespace Meanwhile.Windows;

/// <summary>Keeps the values for quantiles beside the tree: a bag for each single time, and a sketch for every inner entry that is not open and has readings enough.</summary>
internal sealed class BagKeeper
{
    // Below this many a sketch is hardly quicker to add than the values that it stands for.
    private const int WorthSketching = 24;

    private readonly Workspace _workspace;
    private readonly Action<TimeNode, int, int> _take;
    private ValueBag _into;
    private bool _exact;

    public BagKeeper(Workspace workspace) => (_workspace, _take, _into) = (workspace, Take, workspace.AnswerValues);

    /// <summary>Adds a value along the way to its time, which the tree must already have taken in.</summary>
    public void Add(TimeNode node, long time, double value, bool isEdge = true)
    {
        if (node.IsLeaf)
        {
            var at = node.PlaceOf(time);
            if (node.BagAt(at) is null)
                node.SetBag(at, _workspace.RentBag());
            node.BagAt(at)!.Add(value);
            return;
        }
        var place = node.ChildPlaceOf(time);
        isEdge &= place == node.Count - 1;
        Add(node.ChildAt(place), time, value, isEdge);
        if (node.BagAt(place) is { } bag)
            bag.Add(value);
        else if (!isEdge)
            Renew(node, place);
    }

    /// <summary>Makes the bag of an inner entry anew from its child, if it has readings enough.</summary>
    public void Renew(TimeNode node, int place)
    {
        ReturnAt(node, place);
        node.SetBag(place, null);
        if (node.Entries.SumOf(place).Count < WorthSketching)
            return;
        var bag = _workspace.RentSketch();
        (_into, _exact) = (bag, false);
        VisitAll(node.ChildAt(place));
        node.SetBag(place, bag);
    }

    /// <summary>Collects the values with from &lt;= t &lt;= to for the answer, which the tree must already have put together.</summary>
    public void Collect(TimeNode root, long from, long to)
    {
        (_into, _exact) = (_workspace.AnswerValues, _workspace.Answer.SumOf(0).Count <= ValueBag.ExactUpTo);
        if (!_exact)
            _into.ToSketch();
        root.Visit(from, to, _take);
    }

    /// <summary>Lays an entry's bag by for reuse.</summary>
    public void ReturnAt(TimeNode node, int place)
    {
        if (node.BagAt(place) is { } bag)
            _workspace.Return(bag);
    }

    private void Take(TimeNode node, int first, int end)
    {
        for (var place = first; place < end; place++)
        {
            if (node.BagAt(place) is { } bag && (node.IsLeaf || !_exact))
                _into.Add(bag);
            else
                VisitAll(node.ChildAt(place));
        }
    }

    private void VisitAll(TimeNode node) => node.Visit(-Workspace.FarthestMs, Workspace.FarthestMs, _take, isEdge: false);
}
