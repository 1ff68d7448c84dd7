using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>
/// A node of the tree: entries in order of time. An entry of a leaf is the partial of all readings of one time; one of an inner node is the partial of a child,
/// at a time no later than the child's first.
/// </summary>
internal sealed class TimeNode(bool isLeaf, Workspace workspace, int capacity)
{
    private long[] _times = new long[capacity];
    private Partials _entries = new(capacity, workspace.Layout.Parts);
    private TimeNode[] _children = isLeaf ? [] : new TimeNode[capacity];
    private ValueBag?[] _bags = workspace.Layout.HasQuantiles ? new ValueBag?[capacity] : [];

    public bool IsLeaf => isLeaf;

    public int Capacity => _times.Length;

    public int Count { get; private set; }

    /// <summary>The approximate memory of a node with this capacity, in bytes.</summary>
    public static long SizeOf(int capacity, bool isLeaf, WindowLayout layout) =>
        capacity * (long)(sizeof(long) + Unsafe.SizeOf<Sum>() + (layout.Parts.Width * sizeof(double)) + (isLeaf ? 0 : IntPtr.Size) + (layout.HasQuantiles ? IntPtr.Size : 0));

    public ref readonly Partials Entries => ref _entries;

    public long TimeAt(int place) => _times[place];

    /// <summary>Where the stretch of time of an inner entry ends, given where that of the node does: there the next one begins.</summary>
    public long EndAt(int place, long end) => place < Count - 1 ? _times[place + 1] : end;

    public TimeNode ChildAt(int place) => _children[place];

    public ValueBag? BagAt(int place) => _bags[place];

    public void SetBag(int place, ValueBag? bag) => _bags[place] = bag;

    /// <summary>How many entries lie before a time; so the place of the entry of that time, if there is one.</summary>
    public int PlaceOf(long time)
    {
        var times = _times.AsSpan(0, Count);
        if (times.IsEmpty || time <= times[0])
            return 0;
        if (time > times[^1])
            return Count;
        var place = GuessPlaceOf(time);
        while (times[place] > time)
            place--;
        while (times[place] < time)
            place++;
        return place;
    }

    /// <summary>The place of the child to which a time belongs.</summary>
    public int ChildPlaceOf(long time) => Math.Max(0, PlaceOf(time + 1) - 1);

    /// <summary>Finds the leaf and the place of the last entry before a time, if there is any below this node.</summary>
    public bool TryFindBefore(long time, out TimeNode leaf, out int place)
    {
        (leaf, place) = (this, PlaceOf(time) - 1);
        if (isLeaf)
            return place >= 0;
        // A child may begin later than its place says: then the entry is the last one of the child before.
        for (var child = place; child >= 0; child--)
        {
            if (_children[child].TryFindBefore(time, out leaf, out place))
                return true;
        }
        return false;
    }

    /// <summary>The child to which a time belongs.</summary>
    public TimeNode ChildOf(long time) => _children[ChildPlaceOf(time)];

    /// <summary>Reads what a search for a time will begin with; no branch waits for it.</summary>
    public void FetchNear(long time)
    {
        var place = GuessPlaceOf(time);
        _ = Volatile.Read(in _times[place]);
        if (!isLeaf)
            _ = Volatile.Read(in _children[place]);
    }

    /// <summary>Whether a reading fits in without a split; a newest one is to leave some room to late ones.</summary>
    public bool HasRoomFor(long time, bool newest) =>
        Count < (newest ? workspace.MostInOrder : workspace.MostEntries) || (isLeaf && PlaceOf(time) is var place && place < Count && _times[place] == time);

    /// <summary>Folds the partial of a reading into a leaf.</summary>
    public void Fold(long time, in Partials lifted)
    {
        var place = Count > 0 && _times[Count - 1] < time ? Count : PlaceOf(time);
        if (place < Count && _times[place] == time)
        {
            _entries.Combine(place, lifted, 0);
            return;
        }
        Open(place, time);
        _entries.Copy(place, lifted, 0);
    }

    /// <summary>Folds the partial of a reading into an inner entry.</summary>
    public void Combine(int place, in Partials lifted) => _entries.Combine(place, lifted, 0);

    /// <summary>Makes an entry anew from all of its child.</summary>
    public void CombineChild(int place)
    {
        var child = _children[place];
        _entries.Copy(place, child._entries, 0);
        _entries.Combine(place, child._entries, 1, child.Count);
    }

    /// <summary>Makes the entries on the way to a late reading anew from below, for when the order of time matters.</summary>
    public void Recombine(long time, bool isEdge = true)
    {
        if (isLeaf)
            return;
        var place = ChildPlaceOf(time);
        isEdge &= place == Count - 1;
        _children[place].Recombine(time, isEdge);
        if (!isEdge)
            CombineChild(place);
    }

    /// <summary>Lets the first entry begin at a time if it begins later.</summary>
    public void BeginAt(long time) => _times[0] = Math.Min(_times[0], time);

    /// <summary>Opens an entry for a child, whose partial is still to be made.</summary>
    public void Insert(int place, long time, TimeNode child)
    {
        Open(place, time);
        _children[place] = child;
    }

    /// <summary>Moves the entries from a place on to an empty node.</summary>
    public void MoveTo(TimeNode other, int place)
    {
        var count = Count - place;
        other.MakeRoom(count);
        Copy(this, place, other, 0, count);
        (other.Count, Count) = (count, place);
    }

    /// <summary>Copies the times of the entries from a place on.</summary>
    public void CopyTimesTo(long[] times, int place) => Array.Copy(_times, place, times, 0, Count - place);

    /// <summary>
    /// Goes through the entries with from &lt;= t &lt;= to in order of time: takes runs of those of leaves, and of inner ones that lie wholly inside and are not open.
    /// </summary>
    public void Visit(long from, long to, Action<TimeNode, int, int> take, long end = long.MaxValue, bool isEdge = true)
    {
        if (isLeaf)
        {
            take(this, PlaceOf(from), PlaceOf(to + 1));
            return;
        }
        bool IsInside(int place) => _times[place] >= from && EndAt(place, end) - 1 <= to && !(isEdge && place == Count - 1);
        void GoInto(int place) => _children[place].Visit(from, to, take, EndAt(place, end), isEdge && place == Count - 1);

        var (first, last) = (ChildPlaceOf(from), ChildPlaceOf(to));
        if (!IsInside(first))
            GoInto(first++);
        if (first > last)
            return;
        var isLastInside = IsInside(last);
        take(this, first, isLastInside ? last + 1 : last);
        if (!isLastInside)
            GoInto(last);
    }

    /// <summary>Takes away the first entries.</summary>
    public void RemoveFirst(int number)
    {
        Count -= number;
        Copy(this, number, this, 0, Count);
    }

    // Where a time would be if the entries were evenly spaced.
    private int GuessPlaceOf(long time)
    {
        var (first, last) = (_times[0], _times[Count - 1]);
        return Math.Clamp((int)((double)(time - first) / (last - first) * (Count - 1)), 0, Count - 1);
    }

    private void Open(int place, long time)
    {
        MakeRoom(Count + 1);
        Copy(this, place, this, place + 1, Count - place);
        _times[place] = time;
        if (workspace.Layout.HasQuantiles)
            _bags[place] = null;
        Count++;
    }

    private void MakeRoom(int count)
    {
        if (count <= _times.Length)
            return;
        var places = Math.Min(workspace.MostEntries, Math.Max(count, 2 * _times.Length));
        workspace.HeldBytes += SizeOf(places - _times.Length, isLeaf, workspace.Layout);
        Array.Resize(ref _times, places);
        _entries = _entries.Grown(places);
        if (!isLeaf)
            Array.Resize(ref _children, places);
        if (workspace.Layout.HasQuantiles)
            Array.Resize(ref _bags, places);
    }

    private static void Copy(TimeNode source, int from, TimeNode target, int to, int count)
    {
        if (count == 0)
            return;
        Array.Copy(source._times, from, target._times, to, count);
        source._entries.CopyTo(target._entries, from, to, count);
        if (!source.IsLeaf)
            Array.Copy(source._children, from, target._children, to, count);
        if (source._bags.Length > 0)
            Array.Copy(source._bags, from, target._bags, to, count);
    }
}
