using System.Numerics;

namespace Meanwhile.Windows;

/// <summary>Times as keys of the same order, in which a whole second ends in ten zero bits: times in whole seconds then fill the nodes of the tree densely.</summary>
internal static class TimeKey
{
    public const int BitsPerLevel = 5;
    private const int SecondBits = 10;

    /// <summary>Milliseconds: far beyond any date, and small enough that sums of times and lengths do not overflow.</summary>
    public const long Farthest = 1L << 52;

    public static long Of(long timeMs)
    {
        timeMs = Math.Clamp(timeMs, -Farthest, Farthest);
        var second = timeMs / 1000;
        var rest = timeMs - second * 1000;
        return rest < 0 ? ((second - 1) << SecondBits) + rest + 1000 : (second << SecondBits) + rest;
    }

    public static long TimeOf(long key) => (key >> SecondBits) * 1000 + (key & ((1 << SecondBits) - 1));

    /// <summary>The lowest level whose nodes hold two different keys together.</summary>
    public static int LevelOf(long key, long other) => BitOperations.Log2((ulong)(key ^ other)) / BitsPerLevel;
}
