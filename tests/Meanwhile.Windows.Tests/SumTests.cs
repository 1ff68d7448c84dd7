using System.Numerics;

namespace Meanwhile.Windows.Tests;

public class SumTests
{
    private static readonly WindowLayout Layout = new(1000, [1000], Statistic.ParseList("sum,mean,var,min,max"));

    [Theory]
    [InlineData(new[] { 1e16, 1, -1e16 }, 1.0)]
    [InlineData(new[] { 1.7e308, 1.7e308, -1.7e308, -1.7e308, 3 }, 3.0)]
    [InlineData(new[] { double.MaxValue, double.MaxValue, -double.MaxValue }, double.MaxValue)]
    [InlineData(new[] { double.Epsilon, double.Epsilon, -double.Epsilon }, double.Epsilon)]
    [InlineData(new[] { 1_000_000_000.1, 1_000_000_000.3 }, 2_000_000_000.4)]
    public void Sums_stay_right_where_naive_doubles_fail(double[] values, double sum) => Assert.Equal(sum, Of(values, StatisticKind.Sum));

    [Fact]
    public void A_mean_exists_even_where_the_sum_is_beyond_doubles()
    {
        double[] values = [1.7e308, 1.7e308, 1.7e308];
        Assert.Null(Of(values, StatisticKind.Sum));
        Assert.Equal(1.7e308, Of(values, StatisticKind.Mean));
    }

    [Fact]
    public void Zeros_add_up_to_plus_zero_but_keep_their_sign_as_extremes()
    {
        double[] values = [-0.0, 0.0, -0.0];
        Assert.Equal(0L, BitConverter.DoubleToInt64Bits(Of(values, StatisticKind.Mean)!.Value));
        Assert.True(double.IsNegative(Of(values, StatisticKind.Min)!.Value));
        Assert.False(double.IsNegative(Of(values, StatisticKind.Max)!.Value));
    }

    [Fact]
    public void The_variance_of_equal_values_is_exactly_zero() =>
        Assert.Equal(0, Of([.. Enumerable.Repeat(0.1, 10_000)], StatisticKind.Var));

    [Fact]
    public void What_nearly_cancels_keeps_its_last_bit()
    {
        var random = Seeds.Next();
        for (var round = 0; round < 2000; round++)
        {
            // Pairs that cancel but for their last bits, within 2^45 of a small rest.
            var values = new List<double>();
            for (var i = random.Next(1, 20); i > 0; i--)
            {
                var large = Math.ScaleB(1 + random.NextDouble(), 44);
                values.AddRange([large, -Math.BitIncrement(large), 1 + random.NextDouble()]);
            }
            var shuffled = values.ToArray();
            random.Shuffle(shuffled);
            Assert.True(Exact.Ulps(Exact.Mean(values), Of(shuffled, StatisticKind.Mean)!.Value) <= 1, $"round {round}");
        }
    }

    [Fact]
    public void A_million_readings_that_cancel_almost_wholly_leave_an_exact_mean()
    {
        var random = Seeds.Next();
        var values = new List<double>();
        for (var i = 0; i < 350_000; i++)
        {
            var large = Math.ScaleB(1 + random.NextDouble(), 44);
            values.AddRange([large, -large, (random.NextDouble() + 1) * (random.Next(2) * 2 - 1)]);
        }
        var shuffled = values.ToArray();
        random.Shuffle(shuffled);
        var mean = Of(shuffled, StatisticKind.Mean)!.Value;
        Assert.True(Exact.Ulps(Exact.Mean(values), mean) <= 1, $"{mean:R}");

        // Another order, and other times, so other groups.
        random.Shuffle(shuffled);
        var series = new SlidingSeries(Layout);
        foreach (var value in shuffled)
            series.Add(random.Next(1000), value);
        Assert.Equal(mean, series.Query(0, 1000).Value(Statistic.Of(StatisticKind.Mean)));
    }

    [Theory]
    [InlineData(0, 45)]
    [InlineData(-1100, -1050)]
    [InlineData(975, 1020)]
    [InlineData(-25, 20)]
    public void Any_order_and_any_grouping_give_the_same_bits_within_the_range(int leastExponent, int mostExponent)
    {
        var random = Seeds.Next();
        for (var round = 0; round < 500; round++)
        {
            var values = new double[random.Next(1, 100)];
            for (var i = 0; i < values.Length; i++)
                values[i] = random.Next(20) == 0 ? 0 : Any(random, leastExponent, mostExponent);
            var expected = Answer(Group(random, values));
            Assert.True(Exact.Ulps(Exact.Mean(values), Group(random, values).Mean) <= 1, $"round {round}");
            Assert.Equal(Exact.Round(Exact.Sum(values), 1), expected.Item2);
            for (var i = 0; i < 5; i++)
            {
                random.Shuffle(values);
                Assert.Equal(expected, Answer(Group(random, values)));
            }
        }
    }

    [Fact]
    public void Beyond_the_range_each_addition_keeps_124_bits_of_the_larger_side()
    {
        var random = Seeds.Next();
        for (var round = 0; round < 5_000; round++)
        {
            // All but cancelled, so that what was lost far below the largest values shows.
            var values = new List<double>();
            for (var i = random.Next(1, 10); i > 0; i--)
            {
                var large = Any(random, 100, 180);
                values.AddRange([large, -large, Any(random, 0, 100)]);
            }
            var shuffled = values.ToArray();
            random.Shuffle(shuffled);
            var found = Group(random, shuffled).WideMean;
            var difference = Exact.Units(found.High) + Exact.Units(found.Low) - Exact.Sum(values) / values.Count;
            var largest = Exact.Units(values.Max(Math.Abs)) * values.Count;
            Assert.True(BigInteger.Abs(difference) <= (largest >> 124) + BigInteger.Abs(Exact.Units(found.High) >> 100), $"round {round}");
        }
    }

    [Fact]
    public void Combining_is_associative_and_commutative_and_the_empty_sum_changes_nothing()
    {
        var random = Seeds.Next();
        for (var round = 0; round < 20_000; round++)
        {
            var (a, b, c) = (Few(random), Few(random), Few(random));
            Assert.Equal(Answer(Add(Add(a, b), c)), Answer(Add(a, Add(b, c))));
            Assert.Equal(Answer(Add(a, b)), Answer(Add(b, a)));
            Assert.Equal(Answer(a), Answer(Add(a, default)));
            Assert.Equal(Answer(a), Answer(Add(default, a)));
        }
    }

    // A sum as it leaves the library.
    private static (double, double, (double, double)) Answer(Sum sum) => (sum.Count, sum.Total, sum.WideMean);

    private static Sum Add(Sum left, Sum right)
    {
        Sum.Add(ref left, left, right);
        return left;
    }

    private static double Any(Random random, int leastExponent, int mostExponent) =>
        Math.ScaleB(random.NextDouble() + 1, random.Next(leastExponent, mostExponent)) * (random.Next(2) * 2 - 1);

    private static Sum Few(Random random) => Group(random, [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => Any(random, 0, 45))]);

    // The sum of values, split at random places.
    private static Sum Group(Random random, ReadOnlySpan<double> values)
    {
        if (values.Length == 1)
            return Sum.Of(values[0]);
        var at = random.Next(1, values.Length);
        return Add(Group(random, values[..at]), Group(random, values[at..]));
    }

    private static double? Of(double[] values, StatisticKind kind)
    {
        var series = new SlidingSeries(Layout);
        foreach (var value in values)
            series.Add(0, value);
        return series.Query(0, 0).Value(Statistic.Of(kind));
    }
}
