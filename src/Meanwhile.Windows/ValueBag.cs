namespace Meanwhile.Windows;

/// <summary>Values for quantiles: all of them up to <see cref="ExactUpTo"/>, and a sketch beyond.</summary>
internal sealed class ValueBag
{
    public const int ExactUpTo = 512;

    private double[] _values = new double[1];
    private Sketch? _sketch;
    private bool _sorted;

    public long Count { get; private set; }

    private bool IsExact => Count <= ExactUpTo;

    public void Clear()
    {
        Count = 0;
        _sketch?.Clear();
    }

    public void Add(double value)
    {
        if (Count == ExactUpTo)
            StartSketch();
        if (Count >= ExactUpTo)
        {
            _sketch!.Add(value);
        }
        else
        {
            if (Count == _values.Length)
                Array.Resize(ref _values, _values.Length * 2);
            _values[Count] = value;
            _sorted = false;
        }
        Count++;
    }

    public void Add(ValueBag other)
    {
        if (other.IsExact)
        {
            foreach (var value in other._values.AsSpan(0, (int)other.Count))
                Add(value);
            return;
        }
        if (IsExact)
            StartSketch();
        _sketch!.Add(other._sketch!);
        Count += other.Count;
    }

    /// <summary>The reading of rank ⌈percent × count ÷ 100⌉ in ascending order (at least 1): exact up to <see cref="ExactUpTo"/> values, within 1% beyond.</summary>
    public double Quantile(decimal percent)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(percent * Count / 100));
        if (!IsExact)
            return _sketch!.ValueAt(rank);
        if (!_sorted)
            _values.AsSpan(0, (int)Count).Sort();
        _sorted = true;
        return _values[rank - 1];
    }

    private void StartSketch()
    {
        _sketch ??= new Sketch();
        foreach (var value in _values.AsSpan(0, (int)Count))
            _sketch.Add(value);
    }
}
