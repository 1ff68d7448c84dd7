namespace Meanwhile.Windows;

/// <summary>Values for quantiles: all of them up to <see cref="ExactUpTo"/>, and a sketch beyond, or from when one is asked for.</summary>
internal sealed class ValueBag
{
    public const int ExactUpTo = 512;

    private double[] _values = new double[1];
    private Sketch? _sketch;
    private bool _isSorted;
    private long _count;

    public bool IsExact { get; private set; } = true;

    public void Clear()
    {
        (_count, IsExact) = (0, true);
        _sketch?.Clear();
    }

    public void Add(double value)
    {
        if (_count == ExactUpTo)
            ToSketch();
        if (IsExact)
        {
            if (_count == _values.Length)
                Array.Resize(ref _values, _values.Length * 2);
            _values[_count] = value;
            _isSorted = false;
        }
        else
        {
            _sketch!.Add(value);
        }
        _count++;
    }

    public void Add(ValueBag other)
    {
        if (other.IsExact)
        {
            foreach (var value in other._values.AsSpan(0, (int)other._count))
                Add(value);
            return;
        }
        ToSketch();
        _sketch!.Add(other._sketch!);
        _count += other._count;
    }

    /// <summary>The reading of rank ⌈percent × count ÷ 100⌉ in ascending order (at least 1): exact up to <see cref="ExactUpTo"/> values, within 1% beyond.</summary>
    public double Quantile(decimal percent)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(percent * _count / 100));
        if (!IsExact)
            return _sketch!.ValueAt(rank);
        if (!_isSorted)
            _values.AsSpan(0, (int)_count).Sort();
        _isSorted = true;
        return _values[rank - 1];
    }

    /// <summary>Goes over to a sketch, for values that are many or will be.</summary>
    public void ToSketch()
    {
        if (!IsExact)
            return;
        IsExact = false;
        _sketch ??= new Sketch();
        foreach (var value in _values.AsSpan(0, (int)_count))
            _sketch.Add(value);
    }
}
