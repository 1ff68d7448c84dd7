namespace Meanwhile.Windows;

/// <summary>Counts of values in bins that grow by 2% each, so that a quantile read from them is within 1% of the true reading.</summary>
/// <remarks>After Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch", PVLDB 12 (2019); bins are kept sorted, and only those in use.</remarks>
internal sealed class Sketch
{
    // A little below 1%, so that rounding in the logarithm cannot reach it.
    private const double RelativeError = 0.0099;
    private const double Growth = (1 + RelativeError) / (1 - RelativeError);

    // Exponents of Growth lie within 38,000 of 0 for all doubles; the shift leaves room for the sign, and 0 for zero itself.
    private const int Shift = 40_000;
    private static readonly double LogGrowth = Math.Log(Growth);

    private int[] _bins = new int[32];
    private long[] _counts = new long[32];
    private int _used;

    public void Clear() => _used = 0;

    public void Add(double value)
    {
        var bin = BinOf(value);
        var at = Array.BinarySearch(_bins, 0, _used, bin);
        AddTo(at < 0 ? ~at : at, bin, 1);
    }

    public void Add(Sketch other)
    {
        var at = 0;
        for (var i = 0; i < other._used; i++)
        {
            while (at < _used && _bins[at] < other._bins[i])
                at++;
            AddTo(at, other._bins[i], other._counts[i]);
        }
    }

    /// <summary>A value within 1% of the one that has the given rank, counted from 1 in ascending order.</summary>
    public double ValueAt(long rank)
    {
        var at = 0;
        for (var passed = _counts[0]; passed < rank; passed += _counts[at])
            at++;
        return ValueOf(_bins[at]);
    }

    private void AddTo(int at, int bin, long count)
    {
        if (at == _used || _bins[at] != bin)
        {
            if (_used == _bins.Length)
            {
                Array.Resize(ref _bins, _used * 2);
                Array.Resize(ref _counts, _used * 2);
            }
            Array.Copy(_bins, at, _bins, at + 1, _used - at);
            Array.Copy(_counts, at, _counts, at + 1, _used - at);
            (_bins[at], _counts[at]) = (bin, 0);
            _used++;
        }
        _counts[at] += count;
    }

    private static int BinOf(double value) =>
        value == 0 ? 0 : Math.Sign(value) * (Shift + (int)Math.Ceiling(Math.Log(Math.Abs(value)) / LogGrowth));

    private static double ValueOf(int bin)
    {
        if (bin == 0)
            return 0;
        var middle = Math.Exp((Math.Abs(bin) - Shift) * LogGrowth) * (2 / (1 + Growth));
        return Math.Sign(bin) * Math.Min(middle, double.MaxValue);
    }
}
