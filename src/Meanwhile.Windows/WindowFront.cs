using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>
/// The answer for a window that ends with the newest reading and whose start moves forward: partials of the entries near its start, each combined with those
/// behind it, and one partial of all the rest. New readings are folded into the rest; when the start has passed the entries, they are taken from the next leaf.
/// </summary>
internal sealed class WindowFront(Parts parts)
{
    private long[] _times = [];
    private Partials _suffixes = new(0, parts);
    private Partials _rest = new(1, parts);
    private long _from;
    private int _next;
    private int _count;

    /// <summary>Whether readings behind the last of these entries are accounted for.</summary>
    private bool IsValid => _next < _count;

    /// <summary>Forgets all entries if some are before a time: when a clock goes back, what was pruned must not come back with it.</summary>
    public void ForgetIfBefore(long time)
    {
        if (_from < time)
            _count = 0;
    }

    /// <summary>Takes note of a reading, which is newest if none is of a later time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(long time, in Partials lifted, bool newest)
    {
        if (!IsValid || time < _from)
            return;
        if (time < _times[_count - 1] || (!newest && parts.IsOrdered))
            _count = 0;
        else
            _rest.Combine(0, lifted, 0);
    }

    /// <summary>Gives the partial of all readings from a time on, if that is what these entries can tell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAnswer(long from, in Partials answer)
    {
        if (from < _from)
            return false;
        while (_next < _count && _times[_next] < from)
            _next++;
        if (!IsValid)
            return false;
        _from = from;
        answer.Join(0, _suffixes, _next, _rest, 0);
        return true;
    }

    /// <summary>Takes the entries of a leaf from a time on, and completes the answer, which holds what lies behind that leaf.</summary>
    public void Take(long from, TimeNode leaf, in Partials answer)
    {
        var first = leaf.PlaceOf(from);
        (_from, _next, _count) = (from, 0, leaf.Count - first);
        if (_times.Length < _count)
            (_times, _suffixes) = (new long[leaf.Capacity], new Partials(leaf.Capacity, parts));
        leaf.CopyTimesTo(_times, first);
        _suffixes.SetSuffixes(leaf.Entries, first, _count);
        _rest.Copy(0, answer, 0);
        TryAnswer(from, answer);
    }
}
