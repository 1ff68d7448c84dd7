namespace Meanwhile.Windows;

/// <summary>Keeps the inner entries of a tree true to their children, and gives nodes back whose readings are forgotten.</summary>
internal sealed class NodeKeeper(Workspace workspace, BagKeeper? bags)
{
    /// <summary>Forgets what lies before a time; what straddles it is made anew, so that no entry tells of a reading that is gone.</summary>
    /// <returns>Whether anything was forgotten.</returns>
    public bool Drop(TimeNode node, long before, bool isEdge)
    {
        var gone = node.IsLeaf ? node.PlaceOf(before) : node.ChildPlaceOf(before);
        RemoveFirst(node, gone);
        if (node.IsLeaf)
            return gone > 0;
        isEdge &= node.Count == 1;
        if (!Drop(node.ChildAt(0), before, isEdge))
            return gone > 0;
        if (isEdge)
            return true;
        if (node.ChildAt(0).Count == 0)
            RemoveFirst(node, 1);
        else
            Renew(node, 0);
        return true;
    }

    /// <summary>Makes an inner entry anew from all of its child.</summary>
    public void Renew(TimeNode node, int place)
    {
        node.CombineChild(place);
        bags?.Renew(node, place);
    }

    private void RemoveFirst(TimeNode node, int number)
    {
        for (var place = 0; place < number; place++)
        {
            bags?.ReturnAt(node, place);
            if (node.IsLeaf)
                continue;
            var child = node.ChildAt(place);
            RemoveFirst(child, child.Count);
            workspace.Return(child);
        }
        node.RemoveFirst(number);
    }
}
