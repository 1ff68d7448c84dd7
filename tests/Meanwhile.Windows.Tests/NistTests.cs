using System.Numerics;

namespace Meanwhile.Windows.Tests;

public class NistTests
{
    private static readonly WindowLayout Layout = new(50_000_000, [50_000_000], Statistic.ParseList("mean,var,stddev"));

    public static TheoryData<string> Names => [.. NistData.Sets.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_data_have_the_certified_values(string name)
    {
        var (values, mean, deviation, autocorrelation) = NistData.Sets[name];
        // What decimals lose when they become doubles: beside a deviation of 0.1 it shows where the mean is large.
        var rounding = name is "NumAcc3" or "NumAcc4" ? 1e-8 : 1e-12;
        Assert.Equal(mean, Exact.Mean(values), Math.Abs(mean) * 1e-15);
        Assert.Equal(deviation, Exact.Deviation(values, values.Length - 1), deviation * rounding);
        Assert.Equal(autocorrelation, Autocorrelation(values), 1e-10);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Mean_and_variance_agree_with_exact_recalculation(string name)
    {
        var (data, mean, _, _) = NistData.Sets[name];
        // All at one time, each at its own, and in reverse: three ways through the tree.
        foreach (var time in new Func<int, long>[] { _ => 0, i => i * 1000, i => (data.Length - i) * 7L })
        {
            var series = new SlidingSeries(Layout);
            for (var i = 0; i < data.Length; i++)
                series.Add(time(i), data[i]);
            double Found(StatisticKind kind) => series.Query(0, 50_000_000).Value(Statistic.Of(kind))!.Value;

            Assert.True(Exact.Ulps(Exact.Mean(data), Found(StatisticKind.Mean)) <= 1);
            Assert.Equal(mean, Found(StatisticKind.Mean), Math.Abs(mean) * 1e-15);
            var deviation = Exact.Deviation(data, data.Length - 1);
            Assert.Equal(deviation, Found(StatisticKind.StdDev), deviation * 1e-12);
            Assert.Equal(deviation * deviation, Found(StatisticKind.Var), deviation * deviation * 1e-12);
        }
    }

    // Of deviations times the count, so that all stays whole.
    private static double Autocorrelation(double[] values)
    {
        var sum = Exact.Sum(values);
        var deviations = Array.ConvertAll(values, value => Exact.Units(value) * values.Length - sum);
        var products = deviations.Zip(deviations.Skip(1), (a, b) => a * b).Aggregate(BigInteger.Add);
        return (double)(products * 1_000_000_000_000_000 / deviations.Select(d => d * d).Aggregate(BigInteger.Add)) / 1e15;
    }
}
