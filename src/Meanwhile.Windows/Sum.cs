using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>A count and a sum, the latter as an unevaluated pair of doubles of about 106 bits: 1e16 + 1 - 1e16 is 1.</summary>
/// <remarks>
/// The addition is the accurate one of Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic building blocks of double-word
/// arithmetic", ACM TOMS 44 (2017), algorithm 6: its error is below 2^-104 of the result, however much cancels.
/// A sum that would leave the range of doubles is held times 2^-64, and comes back when it is small again.
/// </remarks>
internal readonly struct Sum
{
    private const double Down = 1.0 / 18446744073709551616.0;
    private const double Up = 18446744073709551616.0;
    private const double FitsAgain = 1e285;

    // Negative while the sum is held times 2^-64: a flag of its own would make every node a third larger.
    private readonly double _count;
    private readonly double _high;
    private readonly double _low;

    /// <summary>A sum of so many values, given as two parts.</summary>
    public Sum(double count, double high, double low) => (_count, _high, _low) = (count, high, low);

    public static Sum Of(double value) => new(1, value, 0);

    public double Count => Math.Abs(_count);

    public bool IsEmpty => _count == 0;

    public bool IsScaled => _count < 0;

    /// <summary>The sum but for what its rounding left over; times 2^-64 if it is scaled.</summary>
    public double High => _high;

    /// <summary>The rest of the sum, scaled likewise.</summary>
    public double Low => _low;

    /// <summary>The sum, an infinity if it is beyond the range of doubles.</summary>
    public double Total => IsScaled ? (_high + _low) * Up : _high + _low;

    /// <summary>The mean as high + low; the sum must not be empty.</summary>
    public (double High, double Low) Mean()
    {
        var count = Count;
        var high = _high / count;
        var low = (Math.FusedMultiplyAdd(-high, count, _high) + _low) / count;
        return IsScaled ? (high * Up, low * Up) : (high, low);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Sum operator +(in Sum left, in Sum right)
    {
        var (high, low) = Add(left._high, left._low, right._high, right._low);
        return double.IsFinite(high) && left._count >= 0 && right._count >= 0
            ? new(left._count + right._count, high, low)
            : AddScaled(left, right);
    }

    public static (double Sum, double Error) TwoSum(double a, double b)
    {
        var sum = a + b;
        var back = sum - a;
        return (sum, a - (sum - back) + (b - back));
    }

    private static Sum AddScaled(in Sum left, in Sum right)
    {
        var (scaleLeft, scaleRight) = (left.IsScaled ? 1 : Down, right.IsScaled ? 1 : Down);
        var (high, low) = Add(left._high * scaleLeft, left._low * scaleLeft, right._high * scaleRight, right._low * scaleRight);
        var count = left.Count + right.Count;
        return Math.Abs(high) < FitsAgain ? new(count, high * Up, low * Up) : new(-count, high, low);
    }

    private static (double High, double Low) Add(double high1, double low1, double high2, double low2)
    {
        var (high, highError) = TwoSum(high1, high2);
        var (low, lowError) = TwoSum(low1, low2);
        (high, low) = FastTwoSum(high, highError + low);
        return FastTwoSum(high, lowError + low);
    }

    private static (double Sum, double Error) FastTwoSum(double larger, double smaller)
    {
        var sum = larger + smaller;
        return (sum, smaller - (sum - larger));
    }
}
