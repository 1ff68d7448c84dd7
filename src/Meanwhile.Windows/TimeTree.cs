namespace Meanwhile.Windows;

/// <summary>
/// The readings of a dense series: a tree over time whose nodes divide their stretch into 32 slots. A reading is folded into one entry a level;
/// a span takes from each level one run of whole entries, as a suffix combined beforehand, and goes down only at its ends.
/// </summary>
internal sealed class TimeTree(Workspace workspace)
{
    // A shorter run is read entry by entry, and its node needs no suffixes.
    private const int WorthSuffixes = 3;

    // Only the nodes at the ends of windows need suffixes: more than a few windows have on all levels, and fewer than there are nodes.
    private const int SuffixRows = 32;

    private readonly BagKeeper? _bags = workspace.HasQuantiles ? new BagKeeper(workspace) : null;
    private readonly TimeNode?[] _withSuffixes = new TimeNode?[SuffixRows];
    private uint _nextSuffixes;
    private TimeNode? _root;
    private long _prunedToMs = workspace.CutoffMs;

    public bool IsEmpty => _root is null;

    /// <summary>Whether a good part of the retention has passed since the last pruning, which is too dear for every reading.</summary>
    public bool IsPruningDue => workspace.CutoffMs - _prunedToMs > workspace.Layout.RetentionMs / 16;

    /// <summary>Adds a reading; it is newest if nothing here is of a later time.</summary>
    public void Add(long timeMs, double value, bool newest)
    {
        var key = TimeKey.Of(timeMs);
        workspace.Lifted.Lift(0, timeMs, value);
        _root = _root is null ? workspace.RentNode(TimeNode.HighestWithTimes, key) : Widen(_root, key);
        for (var node = _root; node is not null;)
            node = Fold(node, key);
        if (!newest && workspace.Layout.Parts.IsOrdered)
            Recombine(_root, key);
        _bags?.Add(_root, key, value);
    }

    /// <summary>Puts the readings with from &lt;= t &lt;= to into the answer; the newest is among them if no reading here is later than to.</summary>
    public void Collect(long fromMs, long toMs, bool toNewest)
    {
        if (_root is null)
            return;
        var from = TimeKey.Of(fromMs);
        if (toNewest)
            CollectFrom(_root, from, true);
        else
            Collect(_root, from, TimeKey.Of(toMs), true);
        _bags?.Collect(_root, from, toNewest ? long.MaxValue : TimeKey.Of(toMs));
    }

    /// <summary>The earliest time not before the given one, if there is any.</summary>
    public long? FirstFrom(long timeMs) => _root is not null && FirstFrom(_root, TimeKey.Of(timeMs)) is { } key ? TimeKey.TimeOf(key) : null;

    /// <summary>Forgets all readings before the cut-off.</summary>
    public void Prune()
    {
        _prunedToMs = workspace.CutoffMs;
        if (_root is null || !Drop(_root, TimeKey.Of(_prunedToMs)))
            return;
        while (_root.Count == 1 && _root.ChildAt(0) is { } only)
        {
            _bags?.ReturnAt(_root, 0);
            workspace.Return(_root);
            _root = only;
        }
        if (_root.Count == 0)
        {
            workspace.Return(_root);
            _root = null;
        }
    }

    // Folds the lifted reading into its entry, and gives the node below in which to go on.
    private TimeNode? Fold(TimeNode node, long key)
    {
        if (!node.Has(key))
        {
            var empty = node.Insert(key);
            node.Combine(empty, workspace.Lifted, 0);
            if (node.Level <= TimeNode.HighestWithTimes)
                return null;
            var below = workspace.RentNode(TimeNode.HighestWithTimes, key);
            node.SetChild(empty, below);
            return below;
        }

        var place = node.PlaceOf(key);
        var child = node.ChildAt(place);
        if (child is not null)
        {
            var wide = Widen(child, key);
            if (wide != child)
                node.SetChild(place, wide);
            child = wide;
        }
        else if (node.CompareTime(place, key) != 0)
        {
            child = Split(node, place, key);
        }
        node.Combine(place, workspace.Lifted, 0);
        return child;
    }

    // Puts a node above one that does not reach to a key.
    private TimeNode Widen(TimeNode node, long key)
    {
        if (node.Holds(key))
            return node;
        var wide = workspace.RentNode(TimeKey.LevelOf(node.Start, key), key);
        var place = wide.Insert(node.Start);
        wide.SetChild(place, node);
        wide.CombineChild(place);
        _bags?.Summarise(wide, place);
        return wide;
    }

    // Puts a node below an entry that has had but one time and is to have another.
    private TimeNode Split(TimeNode node, int place, long key)
    {
        var lone = node.KeyAt(place);
        var child = workspace.RentNode(TimeKey.LevelOf(lone, key), key);
        child.Combine(child.Insert(lone), node.Entries, place);
        node.SetChild(place, child);
        if (_bags is not null)
        {
            child.SetBag(0, node.BagAt(place));
            node.SetBag(place, null);
            _bags.Summarise(node, place);
        }
        return child;
    }

    // Makes the entries on the way to a late reading anew from below, where the order of time matters.
    private static void Recombine(TimeNode node, long key)
    {
        var place = node.PlaceOf(key);
        if (node.ChildAt(place) is not { } child)
            return;
        Recombine(child, key);
        node.CombineChild(place);
    }

    // All readings of a node from a key on: a run of whole entries on each level on the way down to the key.
    private void CollectFrom(TimeNode? node, long from, bool holdsNewest)
    {
        while (node is not null && from <= node.End)
        {
            var (first, count) = (node.FirstFrom(from, out var child), node.Count);
            // The newest entry changes with nearly every reading, so it stays outside the suffixes.
            var end = holdsNewest ? count - 1 : count;
            if (holdsNewest && first < count)
                workspace.Answer.Prepend(node.Entries, end);
            if (end - first > WorthSuffixes)
                workspace.Answer.Prepend(SuffixesOf(node, end), first);
            else
                PrependRun(node, first, end);
            holdsNewest &= first == count;
            node = child;
        }
    }

    private ref readonly Partials SuffixesOf(TimeNode node, int end)
    {
        if (!node.HasSuffixRow)
        {
            ref var longest = ref _withSuffixes[_nextSuffixes++ % SuffixRows];
            if (longest is not null)
                node.TakeSuffixRow(longest);
            longest = node;
        }
        return ref node.SuffixesTo(end);
    }

    private void Collect(TimeNode node, long from, long to, bool holdsNewest)
    {
        if (to >= node.End)
        {
            CollectFrom(node, from, holdsNewest);
            return;
        }
        if (to < node.Start || from > node.End)
            return;
        var (first, last) = (node.FirstFrom(from, out var before), node.PlaceOf(to));
        var isNewest = holdsNewest && last == node.Count - 1;
        if (node.Has(to) && node.ChildAt(last) is { } child)
            Collect(child, from, to, isNewest);
        else if (node.Has(to) && first <= last && node.CompareTime(last, to) <= 0)
            workspace.Answer.Prepend(node.Entries, last);
        PrependRun(node, first, last);
        if (before is not null && first <= last)
            CollectFrom(before, from, false);
    }

    private void PrependRun(TimeNode node, int first, int end)
    {
        for (var i = end - 1; i >= first; i--)
            workspace.Answer.Prepend(node.Entries, i);
    }

    private static long? FirstFrom(TimeNode node, long key)
    {
        if (key > node.End)
            return null;
        for (var place = key > node.Start ? node.PlaceOf(key) : 0; place < node.Count; place++)
        {
            var found = node.ChildAt(place) is { } child ? FirstFrom(child, key) : node.KeyAt(place);
            if (found >= key)
                return found;
        }
        return null;
    }

    // True if anything was forgotten; what straddles the key is made anew, so that no entry tells of a reading that is gone.
    private bool Drop(TimeNode node, long key)
    {
        if (key <= node.Start)
            return false;
        var gone = key > node.End ? node.Count : node.PlaceOf(key);
        var changed = gone > 0;
        if (gone < node.Count && node.Has(key))
        {
            if (node.ChildAt(gone) is not { } child)
            {
                gone += node.KeyAt(gone) < key ? 1 : 0;
            }
            else if (Drop(child, key))
            {
                changed = true;
                if (child.Count == 0)
                    gone++;
                else
                    Renew(node, gone);
            }
        }
        for (var i = 0; i < gone; i++)
            Return(node, i);
        node.RemoveFirst(gone);
        return changed || gone > 0;
    }

    private void Renew(TimeNode node, int place)
    {
        node.CombineChild(place);
        _bags?.Renew(node, place);
    }

    private void Return(TimeNode node, int place)
    {
        _bags?.ReturnAt(node, place);
        if (node.ChildAt(place) is not { } child)
            return;
        for (var i = 0; i < child.Count; i++)
            Return(child, i);
        workspace.Return(child);
    }
}
