using System.Collections.Immutable;

namespace Meanwhile.Windows;

/// <summary>What series keep, and for how long: shared by all series of a table, and immutable. Lengths are milliseconds.</summary>
public sealed class WindowLayout
{
    /// <summary>Chooses what series keep.</summary>
    /// <param name="retentionMs">How far back readings count at all.</param>
    /// <param name="windowsMs">The windows that will be asked for, at least one. The mean and most statistics answer any other span as well.</param>
    /// <param name="statistics">What will be asked for; what is not named here costs nothing, but count, sum, mean and rate, which are always there.</param>
    /// <exception cref="ArgumentException">There is no window, or one is not between 1 ms and the retention.</exception>
    public WindowLayout(long retentionMs, IEnumerable<long> windowsMs, IEnumerable<Statistic> statistics)
    {
        RetentionMs = retentionMs;
        WindowsMs = [.. windowsMs.Order().Distinct()];
        Statistics = [.. statistics];
        if (WindowsMs.Length == 0 || WindowsMs[0] < 1 || WindowsMs[^1] > retentionMs)
            throw new ArgumentException($"windows must be between 1 ms and the retention of {retentionMs} ms, and at least one", nameof(windowsMs));
        Parts = new Parts(Statistics, WindowsMs);
        HasQuantiles = Statistics.Any(s => s.Kind == StatisticKind.Quantile);
    }

    /// <summary>Means over 1, 5 and 30 minutes, with a retention of 35 minutes.</summary>
    public static WindowLayout Default { get; } = new(35 * 60_000, [60_000, 300_000, 1_800_000], [Statistic.Of(StatisticKind.Mean)]);

    public long RetentionMs { get; }

    /// <summary>In ascending order.</summary>
    public ImmutableArray<long> WindowsMs { get; }

    public ImmutableArray<Statistic> Statistics { get; }

    internal Parts Parts { get; }

    internal bool HasQuantiles { get; }

    /// <summary>The index of the window of a length, or -1.</summary>
    internal int WindowOf(long spanMs)
    {
        for (var i = 0; i < WindowsMs.Length; i++)
        {
            if (WindowsMs[i] == spanMs)
                return i;
        }
        return -1;
    }
}
