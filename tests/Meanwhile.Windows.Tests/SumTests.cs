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

    // A sum's value as it leaves the library: the total, and the mean as two parts.
    private static (double, double, (double, double)) Answer(Sum sum) => (sum.Count, sum.Total, sum.WideMean);

    [Fact]
    public void Combining_is_associative_and_commutative_bit_for_bit_within_the_range_and_the_empty_sum_changes_nothing()
    {
        var random = Seeds.Next();
        for (var round = 0; round < 20_000; round++)
        {
            var (a, b, c) = (Any(random), Any(random), Any(random));
            Assert.Equal(Answer(Add(Add(a, b), c)), Answer(Add(a, Add(b, c))));
            Assert.Equal(Answer(Add(a, b)), Answer(Add(b, a)));
            Assert.Equal(Answer(a), Answer(Add(a, default)));
            Assert.Equal(Answer(a), Answer(Add(default, a)));
        }
    }

    private static Sum Add(Sum left, Sum right)
    {
        Sum.Add(ref left, left, right);
        return left;
    }

    private static Sum Any(Random random)
    {
        var sum = default(Sum);
        for (var i = random.Next(1, 8); i > 0; i--)
            sum = Add(sum, Sum.Of(Math.ScaleB(random.NextDouble() + 1, random.Next(45)) * (random.Next(2) * 2 - 1)));
        return sum;
    }

    private static double? Of(double[] values, StatisticKind kind)
    {
        var series = new SlidingSeries(Layout);
        foreach (var value in values)
            series.Add(0, value);
        return series.Query(0, 0).Value(Statistic.Of(kind));
    }
}
