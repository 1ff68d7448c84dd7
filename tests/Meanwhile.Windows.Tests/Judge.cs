using System.Numerics;

namespace Meanwhile.Windows.Tests;

/// <summary>Plain recalculation from all readings, in exact arithmetic: what every path of the library is held against.</summary>
internal sealed class Judge(WindowLayout layout)
{
    // Relative: a few hundred roundings of the parts that are kept in plain doubles.
    private const double Tolerance = 1e-12;
    private readonly List<(long Time, double Value)> _readings = [];

    /// <summary>The times held, in order of arrival.</summary>
    public IReadOnlyList<(long Time, double Value)> Readings => _readings;

    public long Newest => _readings.Max(r => r.Time);

    public void Add(long time, double value) => _readings.Add((time, value));

    public void DropBefore(long time) => _readings.RemoveAll(r => r.Time < time);

    /// <summary>Holds every statistic of the layout against the readings of a span.</summary>
    public void Check(SlidingSeries series, long from, long to)
    {
        var inside = _readings.Where(r => r.Time >= from && r.Time <= to).OrderBy(r => r.Time).ToList();
        var found = series.Query(from, to);
        foreach (var statistic in layout.Statistics)
        {
            var value = found.Value(statistic);
            var fault = Fault(statistic, inside, from, to, value);
            Assert.True(fault is null, $"{statistic} of {inside.Count} readings in [{from}, {to}] of {_readings.Count}: {value:R} found, {fault}");
        }
    }

    private string? Fault(Statistic statistic, List<(long Time, double Value)> inside, long from, long to, double? found)
    {
        var values = inside.ConvertAll(r => r.Value);
        if (statistic.Kind == StatisticKind.Count)
            return found == values.Count ? null : $"{values.Count} expected";
        if (values.Count == 0)
            return found is null ? null : "null expected";
        // Each combination may round by half of the smallest double.
        var slack = values.Max(Math.Abs) * Tolerance + values.Count * double.Epsilon;
        return statistic.Kind switch
        {
            StatisticKind.Sum => Near(Exact.Round(Exact.Sum(values), 1), found, SumSlack(values)),
            StatisticKind.Mean => Near(Exact.Mean(values), found, SumSlack(values) / values.Count),
            StatisticKind.Min => Same(values.Min(), found),
            StatisticKind.Max => Same(values.Max(), found),
            StatisticKind.Range => Same(values.Max() - values.Min(), found),
            StatisticKind.First => Same(values[0], found),
            StatisticKind.Last => Same(values[^1], found),
            StatisticKind.Var or StatisticKind.StdDev when values.Count == 1 => found is null ? null : "null expected",
            StatisticKind.Var => Relative(Square(Exact.Deviation(values, values.Count - 1)), found),
            StatisticKind.VarP => Relative(Square(Exact.Deviation(values, values.Count)), found),
            StatisticKind.StdDev => Relative(Exact.Deviation(values, values.Count - 1), found),
            StatisticKind.StdDevP => Relative(Exact.Deviation(values, values.Count), found),
            StatisticKind.Rate => Same(values.Count / ((to - from) / 1000.0), found),
            StatisticKind.Twa => Near(TimeWeighted(inside, from, to, out var largest), found, Math.Max(slack, largest * Tolerance)),
            StatisticKind.Ewma => Near(Decayed(inside, from, to), found, slack),
            StatisticKind.Quantile => Ranked(values, statistic.Percent, found),
            _ => "no such statistic",
        };
    }

    // An ulp where the magnitudes lie within 2^45, as promised; elsewhere 120 bits of the largest.
    private static double SumSlack(List<double> values)
    {
        var magnitudes = values.Select(Math.Abs).Where(v => v > 0).DefaultIfEmpty(1).ToList();
        return magnitudes.Max() <= magnitudes.Min() * Math.Pow(2, 45) ? 0 : magnitudes.Max() * values.Count * Math.Pow(2, -120);
    }

    private static double Square(double value) => value * value;

    // What is held from before the span counts from its start.
    private double TimeWeighted(List<(long Time, double Value)> inside, long from, long to, out double largest)
    {
        var before = _readings.Where(r => r.Time < from).OrderBy(r => r.Time).TakeLast(1).Select(r => (Time: from, r.Value));
        List<(long Time, double Value)> steps = [.. before, .. inside];
        largest = steps.Max(r => Math.Abs(r.Value));
        var total = to - steps[0].Time;
        if (total == 0)
            return inside[^1].Value;
        var area = BigInteger.Zero;
        for (var i = 0; i < steps.Count; i++)
            area += Exact.Units(steps[i].Value) * ((i + 1 < steps.Count ? steps[i + 1].Time : to) - steps[i].Time);
        return Exact.Round(area, total);
    }

    private double Decayed(List<(long Time, double Value)> inside, long from, long to)
    {
        var window = layout.WindowsMs.FirstOrDefault(w => w >= to - from, layout.WindowsMs[^1]);
        double Weight(long time) => Math.Exp(-2.0 * (inside[^1].Time - time) / window);
        var weights = inside.Sum(r => Weight(r.Time));
        return Math.Clamp(inside.Sum(r => r.Value * (Weight(r.Time) / weights)), -double.MaxValue, double.MaxValue);
    }

    private static string? Ranked(List<double> values, decimal percent, double? found)
    {
        values.Sort();
        var expected = values[(int)Math.Max(1, Math.Ceiling(percent * values.Count / 100)) - 1];
        return values.Count <= 512 ? Same(expected, found) : Near(expected, found, Math.Abs(expected) / 100);
    }

    private static string? Same(double expected, double? found) =>
        found is { } f && BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(f) || (found is null && !double.IsFinite(expected))
            ? null
            : $"{expected:R} expected";

    private static string? Relative(double expected, double? found) => Near(expected, found, Math.Abs(expected) * Tolerance + 4 * double.Epsilon);

    private static string? Near(double expected, double? found, double slack)
    {
        // At the edge of the range of doubles either side may have rounded to an infinity.
        if (found is not { } f)
            return Math.Abs(expected) > double.MaxValue * (1 - Tolerance) ? null : $"{expected:R} expected";
        return Exact.Ulps(expected, f) <= 1 || Math.Abs(expected - f) <= slack ? null : $"{expected:R} expected, {Exact.Ulps(expected, f)} ulps away";
    }
}
