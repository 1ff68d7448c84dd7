using System.Numerics;

namespace Meanwhile.Windows;

/// <summary>
/// A node of the tree: 32 slots of equal length in time, of which only the occupied ones take room. An entry is the partial of all readings
/// in its slot; below it lies a child node or, when all are of one time, just that time.
/// </summary>
internal sealed class TimeNode(int level, Parts parts, bool withBags)
{
    /// <summary>Above this level every entry has a child, so that a lone time's offset into its slot fits 16 bits.</summary>
    public const int HighestWithTimes = 3;

    private const int SlotMask = (1 << TimeKey.BitsPerLevel) - 1;

    private readonly int _shift = level * TimeKey.BitsPerLevel;
    private Partials _entries = new(2, parts);
    private Partials _suffixes = new(0, parts);
    private int _suffixEnd;
    private ushort[] _offsets = level <= HighestWithTimes ? new ushort[2] : [];
    private TimeNode?[]? _children;
    private ValueBag?[]? _bags = withBags ? new ValueBag?[2] : null;
    private uint _occupied;
    private long _block;

    public int Level => level;

    public int Count => BitOperations.PopCount(_occupied);

    public ref readonly Partials Entries => ref _entries;

    public long Start => _block << (_shift + TimeKey.BitsPerLevel);

    public long End => Start | ((1L << (_shift + TimeKey.BitsPerLevel)) - 1);

    /// <summary>Makes the node the empty one of the block that holds a key.</summary>
    public void Reset(long key) => (_block, _occupied, _suffixEnd) = (key >> (_shift + TimeKey.BitsPerLevel), 0, 0);

    public bool Holds(long key) => key >> (_shift + TimeKey.BitsPerLevel) == _block;

    public bool Has(long key) => (_occupied & SlotBit(key)) != 0;

    /// <summary>How many entries lie before the slot of a key of this block; so the place of the slot's entry, if it has one.</summary>
    public int PlaceOf(long key) => BitOperations.PopCount(_occupied & (SlotBit(key) - 1));

    public TimeNode? ChildAt(int place) => _children?[place];

    public ValueBag? BagAt(int place) => _bags![place];

    /// <summary>The key of an entry without a child.</summary>
    public long KeyAt(int place)
    {
        var slots = _occupied;
        for (var i = 0; i < place; i++)
            slots &= slots - 1;
        return Start | ((long)BitOperations.TrailingZeroCount(slots) << _shift) | _offsets[place];
    }

    /// <summary>How the lone time of an entry compares with a key of the same slot: negative if it is earlier.</summary>
    public int CompareTime(int place, long key) => _offsets[place] - OffsetOf(key);

    public void SetChild(int place, TimeNode child)
    {
        _children ??= new TimeNode?[_entries.Capacity];
        _children[place] = child;
    }

    public void SetBag(int place, ValueBag? bag) => _bags![place] = bag;

    /// <summary>The first entry that lies wholly at or after a key, and the child in which the key lies, if it lies in one.</summary>
    public int FirstFrom(long key, out TimeNode? child)
    {
        child = null;
        if (key <= Start)
            return 0;
        var place = PlaceOf(key);
        if (!Has(key))
            return place;
        child = ChildAt(place);
        return child is not null || _offsets[place] < OffsetOf(key) ? place + 1 : place;
    }

    /// <summary>Opens an empty entry for the slot of a key, at that key's time.</summary>
    public int Insert(long key)
    {
        var (place, count) = (PlaceOf(key), Count);
        if (count == _entries.Capacity)
            Grow(count * 2);
        Shift(place, place + 1, count - place);
        _occupied |= SlotBit(key);
        _entries.Clear(place);
        if (_offsets.Length > 0)
            _offsets[place] = OffsetOf(key);
        _children?[place] = null;
        _bags?[place] = null;
        ShiftSuffixes(place);
        return place;
    }

    /// <summary>Takes away the first entries.</summary>
    public void RemoveFirst(int number)
    {
        Shift(number, 0, Count - number);
        for (var i = 0; i < number; i++)
            _occupied &= _occupied - 1;
        _suffixEnd = 0;
    }

    /// <summary>Combines an entry with partials that follow it in time, or in a late reading's case belong into it.</summary>
    public void Combine(int place, in Partials others, int from)
    {
        _entries.Combine(place, others, from);
        if (place >= _suffixEnd)
            return;
        if (parts.IsOrdered)
            _suffixEnd = 0;
        for (var i = 0; i <= place && i < _suffixEnd; i++)
            _suffixes.Combine(i, others, from);
    }

    /// <summary>Makes an entry anew from all of its child.</summary>
    public void CombineChild(int place)
    {
        _suffixEnd = 0;
        var child = _children![place]!;
        _entries.Copy(place, child._entries, 0);
        for (var i = 1; i < child.Count; i++)
            _entries.Combine(place, child._entries, i);
    }

    /// <summary>Whether the node has a row in which to keep suffixes.</summary>
    public bool HasSuffixRow => _suffixes.Capacity > 0;

    /// <summary>Takes over the row of a node that has not needed it for a while.</summary>
    public void TakeSuffixRow(TimeNode other)
    {
        (_suffixes, other._suffixes) = (other._suffixes, _suffixes);
        (_suffixEnd, other._suffixEnd) = (0, 0);
    }

    /// <summary>The combinations of the entries from each place up to, not including, an end; made when first asked for.</summary>
    public ref readonly Partials SuffixesTo(int end)
    {
        if (_suffixEnd != end)
        {
            if (_suffixes.Capacity < end)
                _suffixes = _suffixes.Grown(_entries.Capacity);
            _suffixes.Copy(end - 1, _entries, end - 1);
            for (var i = end - 2; i >= 0; i--)
            {
                _suffixes.Copy(i, _entries, i);
                _suffixes.Combine(i, _suffixes, i + 1);
            }
            _suffixEnd = end;
        }
        return ref _suffixes;
    }

    // Makes way for a new entry, still empty, whose suffix is so far that of the one behind it.
    private void ShiftSuffixes(int place)
    {
        if (place >= _suffixEnd)
            return;
        if (_suffixes.Capacity <= _suffixEnd)
            _suffixes = _suffixes.Grown(_entries.Capacity);
        _suffixes.Move(place, place + 1, _suffixEnd - place);
        _suffixEnd++;
    }

    private void Shift(int from, int to, int count)
    {
        if (count == 0)
            return;
        _entries.Move(from, to, count);
        if (_offsets.Length > 0)
            Array.Copy(_offsets, from, _offsets, to, count);
        if (_children is not null)
            Array.Copy(_children, from, _children, to, count);
        if (_bags is not null)
            Array.Copy(_bags, from, _bags, to, count);
    }

    private void Grow(int capacity)
    {
        _entries = _entries.Grown(capacity);
        if (_offsets.Length > 0)
            Array.Resize(ref _offsets, capacity);
        if (_children is not null)
            Array.Resize(ref _children, capacity);
        if (_bags is not null)
            Array.Resize(ref _bags, capacity);
    }

    private uint SlotBit(long key) => 1u << ((int)(key >> _shift) & SlotMask);

    private ushort OffsetOf(long key) => (ushort)(key & ((1L << _shift) - 1));
}
