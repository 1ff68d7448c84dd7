namespace Meanwhile.Windows.Tests;

/// <summary>Every statistic over every path (sparse, dense, the change-over, late, repeated, dropped) against exact recalculation.</summary>
public class EveryPathTests
{
    private const long Start = 1_700_000_000_123;
    private const long Retention = 2_100_000;

    private static readonly WindowLayout Everything =
        new(Retention, [60_000, 300_000, 1_800_000], Statistic.ParseList("count,sum,mean,min,max,first,last,range,var,varp,stddev,stddevp,rate,twa,ewma,p0,p50,p99.9,p100"));

    // What keeps no order of time takes another way in for late readings.
    private static readonly WindowLayout Unordered = new(Retention, [60_000], Statistic.ParseList("mean,min,max,stddev"));

    public static TheoryData<string, string> Paths
    {
        get
        {
            var paths = new TheoryData<string, string>();
            foreach (var times in TimePatterns.Keys)
            {
                foreach (var values in ValuePatterns.Keys)
                    paths.Add(times, values);
            }
            return paths;
        }
    }

    // From the time before to the next one.
    private static readonly Dictionary<string, Func<Random, long, long>> TimePatterns = new(StringComparer.Ordinal)
    {
        ["whole seconds"] = (r, t) => (t / 1000 + r.Next(3)) * 1000,
        ["sparse"] = (r, t) => t + r.Next(120_000),
        ["every few milliseconds"] = (r, t) => t + r.Next(4),
        ["bursts and gaps"] = (r, t) => t + (r.Next(40) == 0 ? r.Next(400_000) : r.Next(2)),
        ["late and early"] = (r, t) => Math.Max(t - 1_000_000, Start) + (r.Next(10) == 0 ? r.Next(1_000_000) : 1_000_000 + r.Next(2000)),
        ["clock jumps"] = (r, t) => t + (r.Next(100) == 0 ? r.NextInt64(-1_500_000, 90_000_000) : r.Next(3000)),
    };

    private static readonly Dictionary<string, Func<Random, double>> ValuePatterns = new(StringComparer.Ordinal)
    {
        ["small integers"] = r => r.Next(1, 101),
        ["a billion plus"] = r => 1e9 + r.NextDouble(),
        ["within 2^45"] = r => Math.ScaleB(r.NextDouble() + 1, r.Next(45)) * (r.Next(2) * 2 - 1) * 0.999,
        ["all doubles"] = AnyDouble,
        ["huge, alternating"] = r => (r.Next(2) * 2 - 1) * double.MaxValue * (1 - r.Next(3) * 1e-3),
        ["subnormal"] = r => r.Next(-5, 6) * double.Epsilon,
        ["constant, and zeros"] = r => r.Next(50) == 0 ? -0.0 : 0.1,
    };

    [Theory]
    [MemberData(nameof(Paths))]
    public void Agrees_with_exact_recalculation(string times, string values)
    {
        var random = Seeds.Next();
        var (next, value) = (TimePatterns[times], ValuePatterns[values]);
        foreach (var layout in new[] { Everything, Unordered })
        {
            foreach (var count in new[] { 5, 47, 60, 700 })
                Run(random, layout, count, next, value);
        }
    }

    private static void Run(Random random, WindowLayout layout, int count, Func<Random, long, long> next, Func<Random, double> value)
    {
        var (series, judge, time) = (new SlidingSeries(layout), new Judge(layout), Start);
        for (var i = 0; i < count; i++)
        {
            time = next(random, time);
            var reading = value(random);
            if (series.Add(time, reading))
                judge.Add(time, reading);
            if (random.Next(count) < 5)
                Check(random, layout, series, judge);
            if (random.Next(count) < 3 && judge.Readings.Count > 0)
                Drop(random, series, judge);
        }
        Check(random, layout, series, judge);
    }

    private static void Drop(Random random, SlidingSeries series, Judge judge)
    {
        // On a reading, or a millisecond beside it.
        var cutoff = judge.Readings[random.Next(judge.Readings.Count)].Time + random.Next(-1, 2);
        series.DropBefore(cutoff);
        judge.DropBefore(cutoff);
    }

    private static void Check(Random random, WindowLayout layout, SlidingSeries series, Judge judge)
    {
        if (judge.Readings.Count == 0)
        {
            Assert.Null(series.Newest);
            return;
        }
        var newest = judge.Newest;
        Assert.Equal(newest, series.Newest);
        foreach (var window in layout.WindowsMs)
            judge.Check(series, newest - window, newest);

        // A span whose ends fall on readings, or a millisecond beside them, and one that ends after all of them.
        long At() => judge.Readings[random.Next(judge.Readings.Count)].Time + random.Next(-1, 2);
        var (a, b) = (At(), At());
        judge.Check(series, Math.Min(a, b), Math.Max(a, b) + 1);
        judge.Check(series, At(), newest + 1 + random.Next(100_000));
    }

    private static double AnyDouble(Random random)
    {
        while (true)
        {
            var value = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
            if (double.IsFinite(value))
                return value;
        }
    }
}
