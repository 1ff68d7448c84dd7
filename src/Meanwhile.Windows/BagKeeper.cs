namespace Meanwhile.Windows;

/// <summary>Keeps the values for quantiles beside the tree: a bag for each single time, and a sketch for every entry above that has readings enough.</summary>
internal sealed class BagKeeper(Workspace workspace)
{
    // Below this many a sketch is hardly quicker to add than the values that it stands for.
    private const int WorthSketching = 64;

    /// <summary>Adds a value along the way to its key, which the tree must already have taken in.</summary>
    public void Add(TimeNode node, long key, double value)
    {
        var place = node.PlaceOf(key);
        if (node.ChildAt(place) is { } child)
        {
            Add(child, key, value);
            if (node.BagAt(place) is { } bag)
                bag.Add(value);
            else
                Summarise(node, place);
            return;
        }
        if (node.BagAt(place) is null)
            node.SetBag(place, workspace.RentBag());
        node.BagAt(place)!.Add(value);
    }

    /// <summary>Gives an entry with a child a sketch of its own, if it has readings enough.</summary>
    public void Summarise(TimeNode node, int place)
    {
        if (node.Entries.SumOf(place).Count < WorthSketching)
            return;
        var bag = workspace.RentSketch();
        Collect(node.ChildAt(place)!, long.MinValue, long.MaxValue, bag, exact: false);
        node.SetBag(place, bag);
    }

    /// <summary>Makes the bag of an entry anew from its child.</summary>
    public void Renew(TimeNode node, int place)
    {
        ReturnAt(node, place);
        node.SetBag(place, null);
        Summarise(node, place);
    }

    /// <summary>Collects the values with from &lt;= key &lt;= to for the answer, which the tree must already have put together.</summary>
    public void Collect(TimeNode node, long from, long to)
    {
        var exact = workspace.Answer.Count <= ValueBag.ExactUpTo;
        if (!exact)
            workspace.AnswerValues.ToSketch();
        Collect(node, from, to, workspace.AnswerValues, exact);
    }

    /// <summary>Lays an entry's bag by for reuse.</summary>
    public void ReturnAt(TimeNode node, int place)
    {
        if (node.BagAt(place) is { } bag)
            workspace.Return(bag);
    }

    private static void Collect(TimeNode node, long from, long to, ValueBag into, bool exact)
    {
        if (from > node.End || to < node.Start)
            return;
        var first = from > node.Start ? node.PlaceOf(from) : 0;
        var end = to < node.End ? node.PlaceOf(to) + (node.Has(to) ? 1 : 0) : node.Count;
        for (var place = first; place < end; place++)
        {
            if (node.ChildAt(place) is not { } child)
            {
                var key = node.KeyAt(place);
                if (key >= from && key <= to)
                    into.Add(node.BagAt(place)!);
            }
            else if (!exact && from <= child.Start && to >= child.End && node.BagAt(place) is { } bag)
            {
                into.Add(bag);
            }
            else
            {
                Collect(child, from, to, into, exact);
            }
        }
    }
}
