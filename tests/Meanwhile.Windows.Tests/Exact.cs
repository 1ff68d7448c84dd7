using System.Numerics;

namespace Meanwhile.Windows.Tests;

/// <summary>Exact arithmetic on doubles, each a whole multiple of 2^-1074, and its results rounded once.</summary>
internal static class Exact
{
    private const int UnitBits = 1074;

    /// <summary>A finite double in units of 2^-1074.</summary>
    public static BigInteger Units(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var fraction = bits & 0xFFFFFFFFFFFFF;
        var magnitude = exponent == 0 ? fraction : (BigInteger)(fraction | (1L << 52)) << (exponent - 1);
        return bits < 0 ? -magnitude : magnitude;
    }

    public static double Mean(IReadOnlyCollection<double> values) => Round(Sum(values), values.Count);

    public static BigInteger Sum(IEnumerable<double> values) => values.Aggregate(BigInteger.Zero, (sum, value) => sum + Units(value));

    /// <summary>The square root of the sum of squared deviations over a divisor, to within an ulp.</summary>
    public static double Deviation(IReadOnlyCollection<double> values, int divisor)
    {
        var (sum, squares) = (BigInteger.Zero, BigInteger.Zero);
        foreach (var value in values)
        {
            var units = Units(value);
            (sum, squares) = (sum + units, squares + units * units);
        }
        // Of a square in units of 2^-2148 the root is in units of 2^-1074; 2^128 more for its fraction.
        var square = ((values.Count * squares - sum * sum) << 256) / ((BigInteger)values.Count * divisor);
        return Round(Root(square), BigInteger.One << 128);
    }

    /// <summary>A quotient in units of 2^-1074 as the nearest double, ties to even; an infinity if beyond.</summary>
    public static double Round(BigInteger units, BigInteger divisor)
    {
        var magnitude = BigInteger.Abs(units);
        var shift = Math.Max(0, (int)(magnitude.GetBitLength() - divisor.GetBitLength()) - 54);
        var quotient = BigInteger.DivRem(magnitude, divisor << shift, out var rest);
        // Two bits more than a double holds, the last of them saying that there was a rest.
        var sticky = (quotient << 1) | (rest.IsZero ? 0 : 1);
        var drop = Math.Max(0, (int)sticky.GetBitLength() - 53);
        if (shift == 0)
            drop = Math.Max(drop, 1);
        var kept = sticky >> drop;
        var (remainder, half) = (sticky - (kept << drop), BigInteger.One << drop >> 1);
        if (remainder > half || (remainder == half && !kept.IsEven))
            kept++;
        var result = Math.ScaleB((double)kept, shift + drop - 1 - UnitBits);
        return units.Sign < 0 ? -result : result;
    }

    /// <summary>How many doubles apart two are.</summary>
    public static double Ulps(double a, double b) => Math.Abs((double)(Ordinal(a) - Ordinal(b)));

    private static Int128 Ordinal(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        return bits < 0 ? -(bits & long.MaxValue) : bits;
    }

    private static BigInteger Root(BigInteger square)
    {
        if (square.IsZero)
            return square;
        var root = BigInteger.One << (int)((square.GetBitLength() + 1) / 2);
        while (true)
        {
            var next = (root + square / root) >> 1;
            if (next >= root)
                return root;
            root = next;
        }
    }
}
