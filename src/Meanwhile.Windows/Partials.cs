using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>A row of partial results, one for each stretch of time. A partial is a count and a sum, and the layout's further parts.</summary>
internal readonly struct Partials(int capacity, Parts parts)
{
    private readonly Parts _parts = parts;
    private readonly Sum[] _sums = new Sum[capacity];
    private readonly double[] _rest = parts.Width == 0 ? [] : new double[capacity * parts.Width];

    public ref readonly Sum SumOf(int at) => ref _sums[at];

    public bool IsEmpty(int at) => _sums[at].IsEmpty;

    public Span<double> RestOf(int at) => _rest.AsSpan(at * _parts.Width, _parts.Width);

    public void Clear(int at) => _sums[at] = default;

    /// <summary>Sets the partial of one reading.</summary>
    public void Lift(int at, long time, double value)
    {
        _sums[at] = Sum.Of(value);
        if (_parts.Width > 0)
            _parts.Lift(RestOf(at), time, value);
    }

    /// <summary>Combines a partial with another, not empty one, which follows it in time.</summary>
    public void Combine(int at, in Partials others, int from)
    {
        if (_parts.Width > 0)
            CombineRest(at, others, from);
        ref var sum = ref _sums[at];
        Sum.Add(ref sum, sum, others._sums[from]);
    }

    /// <summary>Sets a partial to what two others amount to, of which only the newer may be empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Join(int at, in Partials older, int olderFrom, in Partials newer, int newerFrom)
    {
        if (_parts.Width == 0)
        {
            Sum.Add(ref _sums[at], older._sums[olderFrom], newer._sums[newerFrom]);
            return;
        }
        Copy(at, older, olderFrom);
        if (!newer.IsEmpty(newerFrom))
            Combine(at, newer, newerFrom);
    }

    /// <summary>Combines a partial with a run of others, none of them empty, which follow it in time.</summary>
    public void Combine(int at, in Partials others, int first, int end)
    {
        for (; _parts.Width > 0 && first < end; first++)
            Combine(at, others, first);
        var sum = _sums[at];
        for (; first < end; first++)
            Sum.Add(ref sum, sum, others._sums[first]); // Counts and sums alone stay in registers.
        _sums[at] = sum;
    }

    /// <summary>Sets the first partials to those of a run of others, none of them empty, each combined with all behind it.</summary>
    public void SetSuffixes(in Partials others, int first, int count)
    {
        if (_parts.Width > 0)
        {
            others.CopyTo(this, first, 0, count);
            for (var at = count - 2; at >= 0; at--)
                Combine(at, this, at + 1);
            return;
        }
        var sum = others._sums[first + count - 1];
        _sums[count - 1] = sum;
        for (var at = count - 2; at >= 0; at--)
        {
            Sum.Add(ref sum, others._sums[first + at], sum);
            _sums[at] = sum;
        }
    }

    public void Copy(int at, in Partials others, int from)
    {
        _sums[at] = others._sums[from];
        if (_parts.Width > 0)
            others.RestOf(from).CopyTo(RestOf(at));
    }

    /// <summary>Copies a run of partials to another row, or within this one.</summary>
    public void CopyTo(in Partials others, int from, int to, int count)
    {
        Array.Copy(_sums, from, others._sums, to, count);
        if (_parts.Width > 0)
            Array.Copy(_rest, from * _parts.Width, others._rest, to * _parts.Width, count * _parts.Width);
    }

    /// <summary>A longer row with the same partials.</summary>
    public Partials Grown(int capacity)
    {
        var grown = new Partials(capacity, _parts);
        _sums.CopyTo(grown._sums, 0);
        _rest.CopyTo(grown._rest, 0);
        return grown;
    }

    private void CombineRest(int at, in Partials others, int from)
    {
        if (IsEmpty(at))
            others.RestOf(from).CopyTo(RestOf(at));
        else
            _parts.Combine(_sums[at], RestOf(at), others._sums[from], others.RestOf(from));
    }
}
