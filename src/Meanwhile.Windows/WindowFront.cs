using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>
/// The answer for a window that ends with the newest reading and whose start moves forward: partials of the entries near its start, each combined with those
/// behind it, and one partial of all the rest. New readings are folded into the rest; when the start has passed the entries, they are taken from the next leaf.
/// </summary>
internal sealed class WindowFront(Parts parts)
{
    private long[] _times = [];
    private double[] _lasts = []; // Of each entry, if the layout asks for what held before the window.
    private (long Time, double Value) _before;
    private Partials _suffixes = new(0, parts);
    private Partials _rest = new(1, parts);
    private long _from;
    private int _next;
    private int _count;

    /// <summary>Whether readings behind the last of these entries are accounted for.</summary>
    private bool IsValid => _next < _count;

    /// <summary>The last reading before the window, if the layout asks for it.</summary>
    public (long Time, double Value) Before => _before;

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
        if (!IsValid)
            return;
        if (time < _from)
            AddBefore(time, lifted);
        else if (time < _times[_count - 1] || (!newest && parts.IsOrdered))
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
            Pass(_next++);
        if (!IsValid)
            return false;
        _from = from;
        answer.Join(0, _suffixes, _next, _rest, 0);
        return true;
    }

    /// <summary>Takes the entries of a leaf from a time on, and completes the answer, which holds what lies behind that leaf.</summary>
    /// <param name="before">The last reading before that time.</param>
    public void Take(long from, TimeNode leaf, in Partials answer, (long Time, double Value) before)
    {
        var first = leaf.PlaceOf(from);
        (_from, _next, _count) = (from, 0, leaf.Count - first);
        if (_times.Length < _count)
            (_times, _suffixes) = (new long[leaf.Capacity], new Partials(leaf.Capacity, parts));
        leaf.CopyTimesTo(_times, first);
        if (parts.Step >= 0)
            TakeLasts(leaf, first);
        _before = before;
        _suffixes.SetSuffixes(leaf.Entries, first, _count);
        _rest.Copy(0, answer, 0);
        TryAnswer(from, answer);
    }

    private void TakeLasts(TimeNode leaf, int first)
    {
        if (_lasts.Length < _times.Length)
            _lasts = new double[_times.Length];
        for (var i = 0; i < _count; i++)
            _lasts[i] = leaf.Entries.RestOf(first + i)[parts.Ends + 1];
    }

    private void AddBefore(long time, in Partials lifted)
    {
        if (parts.Step >= 0 && time >= _before.Time)
            _before = (time, lifted.RestOf(0)[parts.Ends + 1]);
    }

    private void Pass(int entry)
    {
        if (parts.Step >= 0)
            _before = (_times[entry], _lasts[entry]);
    }
}
