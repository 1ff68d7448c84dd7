namespace Meanwhile.Windows;

/// <summary>A sum kept as an unevaluated pair of doubles, about 106 bits: 1e16 + 1 - 1e16 is 1.</summary>
/// <remarks>Error-free addition after Knuth (TAOCP 2, 4.2.2). Terms are scaled by 2^-64 so that no sum of fewer than 2^64 finite doubles overflows.</remarks>
internal struct DoubleDoubleSum
{
    // Powers of two: scaling is exact, but for values below 2^-958, which lose bits that no double mean of larger ones could show.
    private const double Down = 1.0 / 18446744073709551616.0;
    private const double Up = 18446744073709551616.0;
    private const double Large = 1e270;

    private double _high;
    private double _low;
    private double _largeHigh;
    private double _largeLow;
    private long _count;

    public void Add(double value)
    {
        _count++;
        if (Math.Abs(value) < Large)
            Accumulate(ref _high, ref _low, value);
        else
            Accumulate(ref _largeHigh, ref _largeLow, value * Down);
    }

    /// <summary>The mean of what was added, or null when nothing was.</summary>
    public readonly double? Mean()
    {
        if (_count == 0)
            return null;
        if (_largeHigh == 0 && _largeLow == 0)
            return Divide(_high, _low, _count);

        var (high, low) = (_largeHigh, _largeLow);
        Accumulate(ref high, ref low, _high * Down);
        Accumulate(ref high, ref low, _low * Down);
        return Divide(high, low, _count) * Up;
    }

    private static void Accumulate(ref double high, ref double low, double value)
    {
        var sum = high + value;
        var back = sum - high;
        var error = (high - (sum - back)) + (value - back) + low;
        high = sum + error;
        low = error - (high - sum);
    }

    private static double Divide(double high, double low, long count)
    {
        var quotient = high / count;
        var remainder = Math.FusedMultiplyAdd(-quotient, count, high);
        return quotient + ((remainder + low) / count);
    }
}
