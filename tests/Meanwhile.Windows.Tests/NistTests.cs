namespace Meanwhile.Windows.Tests;

/// <summary>
/// The univariate data sets of NIST's Statistical Reference Datasets that can be made from their description, with the certified values for mean and standard
/// deviation (https://www.itl.nist.gov/div898/strd/univ/homepage.html). Left out, because their data are not at hand: Lew, Lottery, Mavro, Michelson, and PiDigits,
/// whose certified mean of 4.5348 is not that of the first 5000 digits of pi (4.5358).
/// </summary>
public class NistTests
{
    private static readonly WindowLayout Layout = new(10_000_000, [10_000_000], Statistic.ParseList("mean,stddev"));

    public static TheoryData<string, double, double> Certified => new()
    {
        { "NumAcc1", 10000002, 1 },
        { "NumAcc2", 1.2, 0.1 },
        { "NumAcc3", 1000000.2, 0.1 },
        { "NumAcc4", 10000000.2, 0.1 },
    };

    [Theory]
    [MemberData(nameof(Certified))]
    public void Agrees_with_the_certified_values(string name, double mean, double deviation)
    {
        var data = Data(name);
        // All at one time, each at its own, and in reverse: three ways through the tree.
        foreach (var time in new Func<int, long>[] { _ => 0, i => i * 1000, i => (data.Length - i) * 7L })
        {
            var series = new SlidingSeries(Layout);
            for (var i = 0; i < data.Length; i++)
                series.Add(time(i), data[i]);
            var summary = series.Query(0, 10_000_000);
            Assert.Equal(mean, summary.Value(Statistic.Of(StatisticKind.Mean))!.Value, mean * 1e-14);

            // The values as typed are doubles near those that NIST means; against those doubles the deviation holds to 1e-12 everywhere.
            var found = summary.Value(Statistic.Of(StatisticKind.StdDev))!.Value;
            Assert.Equal(Exact.Deviation(data, data.Length - 1), found, deviation * 1e-12);
            Assert.Equal(deviation, found, deviation * (name is "NumAcc3" or "NumAcc4" ? 1e-7 : 1e-12));
        }
    }

    private static double[] Data(string name) => name switch
    {
        "NumAcc1" => [10000001, 10000003, 10000002],
        "NumAcc2" => Alternating(1.2, 1.1, 1.3),
        "NumAcc3" => Alternating(1000000.2, 1000000.1, 1000000.3),
        _ => Alternating(10000000.2, 10000000.1, 10000000.3),
    };

    // 1001 values: the middle one, and then five hundred times a pair around it.
    private static double[] Alternating(double middle, double low, double high) =>
        [middle, .. Enumerable.Range(0, 1000).Select(i => i % 2 == 0 ? low : high)];
}
