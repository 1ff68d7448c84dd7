using System.Globalization;
using System.Numerics;

namespace Meanwhile.Windows.Tests;

public class SlidingSeriesTests
{
    [Fact]
    public void Both_ends_of_a_window_are_included()
    {
        var series = new SlidingSeries();
        series.Add(1_000, 1);
        series.Add(61_000, 2);
        series.Add(61_001, 4);

        Assert.Equal(1.5, series.Mean(1_000, 61_000));
        Assert.Equal(3, series.Mean(1_001, 61_001));
        Assert.Null(series.Mean(61_002, 99_000));
    }

    [Theory]
    [InlineData(new[] { 1e16, 1, -1e16 }, 1.0 / 3)]
    [InlineData(new[] { 1.7e308, 1.7e308, 1.7e308 }, 1.7e308)]
    [InlineData(new[] { 1.7e308, -1.7e308, 3 }, 1.0)]
    [InlineData(new[] { double.Epsilon, double.Epsilon }, double.Epsilon)]
    [InlineData(new[] { 1_000_000_000.1, 1_000_000_000.3 }, 1_000_000_000.2)]
    public void Means_stay_right_where_naive_doubles_fail(double[] values, double mean)
    {
        var series = new SlidingSeries();
        foreach (var value in values)
            series.Add(0, value);

        Assert.Equal(mean, series.Mean(0, 0));
    }

    [Fact]
    public void Means_equal_exact_rational_recalculation_in_any_order_of_time()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var series = new SlidingSeries();
        var readings = new List<(long Time, double Value)>();
        for (var i = 0; i < 2_000; i++)
        {
            var reading = (Time: random.NextInt64(0, 100) * 500, Value: random.Next(-1000, 1000) / 8.0 * Math.Pow(10, random.Next(0, 6)));
            readings.Add(reading);
            series.Add(reading.Time, reading.Value);
            if (random.Next(50) == 0)
            {
                var floor = random.NextInt64(0, 20_000);
                readings.RemoveAll(r => r.Time < floor);
                series.DropBefore(floor);
            }
            var (from, to) = (random.NextInt64(0, 50_000), random.NextInt64(0, 50_000));
            var expected = ExactMean(readings.Where(r => r.Time >= from && r.Time <= to).Select(r => r.Value));
            Assert.True(expected == series.Mean(from, to), $"seed {seed}, reading {i}, {from} to {to}: {expected:R} expected, {series.Mean(from, to):R} found");
        }
    }

    // The values are multiples of 1/8, so 8 x the sum is a whole number, and its quotient to 40 decimals is rounded once.
    private static double? ExactMean(IEnumerable<double> values)
    {
        var (eighths, count) = (BigInteger.Zero, 0);
        foreach (var value in values)
            (eighths, count) = (eighths + new BigInteger(value * 8), count + 1);
        return count == 0 ? null : double.Parse($"{eighths * BigInteger.Pow(10, 40) / (8 * count)}E-40", CultureInfo.InvariantCulture);
    }
}
