using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>A count and a sum, the latter as a whole number of 128 bits in units of a power of two: 1e16 + 1 - 1e16 is 1.</summary>
/// <remarks>
/// Sums are exact, in any order and grouping, while they fit: up to 2^28 readings whose magnitudes lie within 2^45 of one another do. Beyond, an addition drops the bits
/// of its smaller operand that lie more than 2^124 below the larger one. There is no overflow, and subnormals are nothing special.
/// </remarks>
internal readonly struct Sum
{
    // Units are powers of 2^32 at first: readings of like magnitudes then have the same one, and add up without being aligned.
    private const int UnitGrain = 32;
    private const ulong ExponentMask = 0xFFFF;
    private const double TwoToMinus11 = 1.0 / 2048;
    private const double TwoToMinus64 = 1.0 / 18446744073709551616.0;

    private readonly ulong _low;
    private readonly long _high;

    // 48 bits of count, 16 of exponent: a field more would make every node a third larger.
    private readonly ulong _countAndExponent;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Sum(ulong low, long high, ulong countAndExponent) => (_low, _high, _countAndExponent) = (low, high, countAndExponent);

    private Sum(Int128 significand, ulong count, int exponent)
        : this((ulong)significand, (long)(significand >> 64), (count << 16) | (ushort)exponent)
    {
    }

    public double Count => (long)(_countAndExponent >> 16);

    public bool IsEmpty => _countAndExponent >> 16 == 0;

    /// <summary>The sum, an infinity if it is beyond the range of doubles.</summary>
    public double Total
    {
        get
        {
            var (high, low, exponent) = Split();
            return Scale(high + low, exponent);
        }
    }

    /// <summary>The mean; the sum must not be empty.</summary>
    public double Mean
    {
        [MethodImpl(MethodImplOptions.NoInlining)] // One of the bounds of which TimeTree.Add tells.
        get
        {
            var (quotient, remainder, exponent) = Divide();
            // Of the remainder few bits matter: both divisions can go on at once.
            return Scale(quotient + remainder * (1 / Count), exponent);
        }
    }

    /// <summary>The mean as high + low; the sum must not be empty.</summary>
    public (double High, double Low) WideMean
    {
        get
        {
            var (quotient, remainder, exponent) = Divide();
            var low = remainder / Count;
            var high = quotient + low;
            return (Scale(high, exponent), Scale(low - (high - quotient), exponent));
        }
    }

    private Int128 Significand => new((ulong)_high, _low);

    private int Exponent => (short)_countAndExponent;

    public static Sum Of(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var biased = (int)(bits >> 52) & 0x7FF;
        var fraction = bits & 0xFFFFFFFFFFFFF;
        var magnitude = biased == 0 ? fraction : fraction | (1L << 52);
        var sign = bits >> 63;
        var significand = (magnitude ^ sign) - sign;
        var exponent = Math.Max(biased, 1) - 1075;
        var shift = exponent & (UnitGrain - 1);
        return new((ulong)significand << shift, significand >> 1 >> (63 - shift), (1 << 16) | (ulong)(ushort)(exponent - shift));
    }

    /// <summary>Sets a sum, which may be one of the two, to what two others amount to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ref Sum sum, in Sum left, in Sum right)
    {
        var low = left._low + right._low;
        var high = left._high + right._high + (low < left._low ? 1 : 0);
        var overflows = ((high ^ left._high) & (high ^ right._high)) < 0;
        var sameUnit = ((left._countAndExponent ^ right._countAndExponent) & ExponentMask) == 0;
        if (sameUnit && !overflows)
            sum = new(low, high, left._countAndExponent + (right._countAndExponent & ~ExponentMask));
        else
            sum = left.Exponent < right.Exponent ? AddAligned(right, left) : AddAligned(left, right);
    }

    private static Sum AddAligned(Sum left, Sum right)
    {
        var count = (left._countAndExponent >> 16) + (right._countAndExponent >> 16);
        var (coarse, fine) = (left.Significand, right.Significand);
        if (coarse == 0)
            return new(fine, count, right.Exponent);
        if (fine == 0)
            return new(coarse, count, left.Exponent);

        // To the finer unit as far as there is room, and the rest of the way to the coarser one.
        var apart = left.Exponent - right.Exponent;
        var room = (int)Int128.LeadingZeroCount(coarse < 0 ? ~coarse : coarse) - 1;
        var up = Math.Min(apart, room);
        coarse <<= up;
        fine = ShiftRight(fine, apart - up);
        var sum = coarse + fine;
        var overflows = ((coarse ^ sum) & (fine ^ sum)) < 0;
        return overflows ? new(Halve(sum), count, left.Exponent - up + 1) : new(sum, count, left.Exponent - up);
    }

    // To the nearest.
    private static Int128 ShiftRight(Int128 value, int bits) =>
        bits == 0 ? value : bits > 127 ? 0 : (value >> bits) + ((value >> (bits - 1)) & 1);

    // Half of a sum whose sign has been lost to a carry.
    private static Int128 Halve(Int128 overflown)
    {
        var half = (overflown >>> 1) + (overflown & 1);
        return overflown < 0 ? half : half | Int128.MinValue;
    }

    // Of the division by the count, all scaled by 2^Exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (double Quotient, double Remainder, int Exponent) Divide()
    {
        var (high, low, exponent) = Split();
        var quotient = high / Count;
        return (quotient, Math.FusedMultiplyAdd(-quotient, Count, high) + low, exponent);
    }

    // (High + Low) × 2^Exponent, with a High of 53 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (double High, double Low, int Exponent) Split()
    {
        var sign = _high >> 63;
        var low = (_low ^ (ulong)sign) - (ulong)sign;
        var high = (ulong)((_high ^ sign) - (low == 0 ? sign : 0));
        int zeros;
        if (high == 0)
        {
            zeros = BitOperations.LeadingZeroCount(low);
            (high, low, zeros) = (low << zeros, 0, zeros + 64);
        }
        else
        {
            zeros = BitOperations.LeadingZeroCount(high);
            (high, low) = ((high << zeros) | (low >> 1 >> (63 - zeros)), low << zeros);
        }
        double signed = sign | 1;
        return (signed * (long)(high >> 11), signed * ((long)(high & 0x7FF) * TwoToMinus11 + (long)(low >> 11) * TwoToMinus64), Exponent - zeros + 75);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Scale(double value, int exponent) =>
        exponent is > -1000 and < 900 ? value * BitConverter.Int64BitsToDouble((exponent + 1023L) << 52) : Math.ScaleB(value, exponent);
}
