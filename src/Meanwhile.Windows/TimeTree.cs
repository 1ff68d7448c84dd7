using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>
/// The readings of a dense series: a B+ tree over time whose inner entries hold the partials of their children. The last entry of each node along the right edge
/// is open: its partial is made only when a sibling appears behind it, so that a reading newer than all others touches nothing but its leaf.
/// </summary>
internal sealed class TimeTree
{
    private readonly Workspace _workspace;
    private readonly BagKeeper? _bags;
    private readonly NodeKeeper _nodes;
    private readonly WindowFront?[] _fronts;
    private readonly Action<TimeNode, int, int> _combine;
    private LateReadings? _late;
    private TimeNode _root;
    private TimeNode _newest;
    private long _prunedToMs;

    public TimeTree(Workspace workspace)
    {
        _workspace = workspace;
        _bags = workspace.Layout.HasQuantiles ? new BagKeeper(workspace) : null;
        _nodes = new NodeKeeper(workspace, _bags);
        _fronts = new WindowFront?[workspace.Layout.WindowsMs.Length];
        _combine = CombineIntoAnswer;
        _root = _newest = workspace.RentNode(isLeaf: true);
        _prunedToMs = workspace.CutoffMs;
    }

    public bool IsEmpty => _root.Count == 0;

    /// <summary>Whether a good part of the retention has passed since the last pruning, which is too dear for every reading.</summary>
    public bool IsPruningDue => _workspace.CutoffMs - _prunedToMs > _workspace.Layout.RetentionMs / 16;

    /// <summary>Adds a reading; it is newest if nothing here is of a later time.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // Between these bounds, here and below, all is inlined: left to what the compiler has seen by chance, some processes took half as long again.
    public void Add(long time, double value, bool newest)
    {
        _workspace.Lifted.Lift(0, time, value);
        foreach (var front in _fronts)
            front?.Add(time, _workspace.Lifted, newest);
        if (newest)
            AddNewest(time, value);
        else
            AddLate(time, value);
    }

    /// <summary>Puts the readings with from &lt;= t &lt;= to into the answer.</summary>
    public void Collect(long from, long to)
    {
        InsertLate();
        _workspace.Answer.Clear(0);
        if (from > to)
            return;
        if (_workspace.Layout.Parts.Step >= 0)
            _workspace.Held = ValueOf(LastBefore(from));
        _root.Visit(from, to, _combine);
        _bags?.Collect(_root, from, to);
    }

    /// <summary>Puts the readings from a time on into the answer, for one of the layout's windows: its start hardly ever goes back.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void CollectWindow(int window, long from)
    {
        var front = _fronts[window] ??= new WindowFront(_workspace.Layout.Parts);
        if (!front.TryAnswer(from, _workspace.Answer))
            Renew(front, from);
        if (_workspace.Layout.Parts.Step >= 0)
            _workspace.Held = ValueOf(front.Before);
        if (_bags is null)
            return;
        InsertLate();
        _bags.Collect(_root, from, Workspace.FarthestMs);
    }

    /// <summary>The earliest time not before the given one, if there is any.</summary>
    public long? FirstFrom(long time)
    {
        InsertLate();
        var leaf = LeafFrom(time, out _);
        return leaf?.TimeAt(leaf.PlaceOf(time));
    }

    /// <summary>It is empty, and not used any more.</summary>
    public void Leave() => _workspace.Return(_root);

    /// <summary>Forgets all readings before the cut-off.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // Seldom called, like the others marked so: inlined, they would take the compiler's budget from what is called for each reading.
    public void Prune()
    {
        InsertLate();
        _prunedToMs = _workspace.CutoffMs;
        foreach (var front in _fronts)
            front?.ForgetIfBefore(_prunedToMs);
        _nodes.Drop(_root, _prunedToMs, isEdge: true);
        while (!_root.IsLeaf && _root.Count == 1)
        {
            var only = _root.ChildAt(0);
            _workspace.Return(_root);
            _root = only;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Renew(WindowFront front, long from)
    {
        InsertLate();
        _workspace.Answer.Clear(0);
        if (LeafFrom(from, out var end) is not { } leaf)
            return;
        if (end <= Workspace.FarthestMs)
            _root.Visit(end, Workspace.FarthestMs, _combine);
        front.Take(from, leaf, _workspace.Answer, _workspace.Layout.Parts.Step >= 0 ? LastBefore(from) : default);
    }

    // What was dropped is not known any more, also while it still takes room.
    private double? ValueOf((long Time, double Value) before) => before.Time >= _workspace.CutoffMs ? before.Value : null;

    private (long Time, double Value) LastBefore(long time) => _root.TryFindBefore(time, out var leaf, out var place)
        ? (leaf.TimeAt(place), leaf.Entries.RestOf(place)[_workspace.Layout.Parts.Ends + 1])
        : (long.MinValue, 0);

    private void CombineIntoAnswer(TimeNode node, int first, int end) => _workspace.Answer.Combine(0, node.Entries, first, end);

    // The leaf with the earliest entry not before a time, and the end of the stretch of time that belongs to it.
    private TimeNode? LeafFrom(long time, out long end)
    {
        while (true)
        {
            var node = _root;
            end = long.MaxValue;
            while (!node.IsLeaf)
            {
                var place = node.ChildPlaceOf(time);
                end = node.EndAt(place, end);
                node = node.ChildAt(place);
            }
            if (node.PlaceOf(time) < node.Count)
                return node;
            if (end == long.MaxValue)
                return null;
            time = end;
        }
    }

    private void AddNewest(long time, double value)
    {
        if (_newest.HasRoomFor(time, newest: true))
            _newest.Fold(time, _workspace.Lifted);
        else
            Insert(time, newest: true);
        _bags?.Add(_root, time, value);
    }

    private void AddLate(long time, double value)
    {
        _late ??= new LateReadings();
        _late.Add(time, value);
        if (_late.IsFull)
            InsertLate();
    }

    // What goes through the tree comes after this; fronts know of late readings already.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void InsertLate()
    {
        if (_late is not { All: [_, ..] late })
            return;
        _late.Fetch(_root);
        foreach (var (time, value) in late)
        {
            _workspace.Lifted.Lift(0, time, value);
            Insert(time, newest: false);
            _bags?.Add(_root, time, value);
        }
        _late.Clear();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Insert(long time, bool newest)
    {
        if (!_root.HasRoomFor(time, newest))
        {
            var above = _workspace.RentNode(isLeaf: false);
            above.Insert(0, _root.TimeAt(0), _root);
            _root = above;
        }
        var (node, isEdge) = (_root, true);
        while (!node.IsLeaf)
        {
            node.BeginAt(time);
            var place = node.ChildPlaceOf(time);
            if (!node.ChildAt(place).HasRoomFor(time, newest))
            {
                Split(node, place, time, isEdge, newest);
                place = node.ChildPlaceOf(time);
            }
            isEdge &= place == node.Count - 1;
            if (!isEdge)
                node.Combine(place, _workspace.Lifted);
            node = node.ChildAt(place);
        }
        node.Fold(time, _workspace.Lifted);
        if (!newest && _workspace.Layout.Parts.IsOrdered)
            _root.Recombine(time);
    }

    // Halves a full child; or, for a reading behind all others, opens an empty one after it.
    private void Split(TimeNode node, int place, long time, bool isEdge, bool newest)
    {
        var child = node.ChildAt(place);
        var isOpen = isEdge && place == node.Count - 1;
        var at = !newest ? child.Count / 2 : child.IsLeaf ? child.Count : child.Count - 1;
        // Made in one go: what grows little by little lies in several places of memory, and each is waited for when a late reading comes.
        var sibling = _workspace.RentNode(child.IsLeaf, child.Capacity);
        node.Insert(place + 1, at == child.Count ? time : child.TimeAt(at), sibling);
        child.MoveTo(sibling, at);
        _nodes.Renew(node, place);
        if (!isOpen)
            _nodes.Renew(node, place + 1);
        if (child == _newest)
            _newest = sibling;
    }
}
