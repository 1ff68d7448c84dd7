namespace Meanwhile.Windows.Tests;

public class QuantileTests
{
    private static readonly WindowLayout Layout = new(2_000_000, [60_000, 1_800_000], Statistic.ParseList("p0.1,p1,p25,p50,p75,p95,p99,p99.9"));

    private static readonly Dictionary<string, Func<Random, int, double>> Distributions = new(StringComparer.Ordinal)
    {
        ["uniform"] = (r, _) => r.NextDouble() * 100,
        ["normal"] = (r, _) => Math.Sqrt(-2 * Math.Log(1 - r.NextDouble())) * Math.Cos(2 * Math.PI * r.NextDouble()),
        ["heavy-tailed"] = (r, _) => Math.Pow(1 - r.NextDouble(), -3),
        ["constant"] = (_, _) => 21.5,
        ["two-valued"] = (r, _) => r.Next(2) == 0 ? -7 : 1e6,
        ["sorted"] = (_, i) => i,
        ["reversed"] = (_, i) => -i,
    };

    public static TheoryData<string> Names => [.. Distributions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Errors_stay_within_one_percent(string distribution)
    {
        var random = Seeds.Next();
        foreach (var millisecondsApart in new[] { 0, 7, 60 })
        {
            var (series, judge) = (new SlidingSeries(Layout), new Judge(Layout));
            for (var i = 0; i < 20_000; i++)
            {
                var late = random.Next(10) == 0 ? random.Next(10_000) : 0;
                var (time, value) = (Math.Max(0, (long)i * millisecondsApart - late) + 1_000_000, Distributions[distribution](random, i));
                series.Add(time, value);
                judge.Add(time, value);
            }
            var newest = judge.Newest;
            foreach (var from in new[] { 0, newest - 60_000, newest - 3_000, newest - 31 })
                judge.Check(series, from, newest);
            series.DropBefore(newest - 500_000);
            judge.DropBefore(newest - 500_000);
            judge.Check(series, newest - 500_000, newest - 1234);
        }
    }

    [Fact]
    public void Five_hundred_and_twelve_readings_are_exact_and_one_more_is_within_one_percent()
    {
        var (series, judge) = (new SlidingSeries(Layout), new Judge(Layout));
        for (var i = 1; i <= 513; i++)
        {
            series.Add(i * 10, i);
            judge.Add(i * 10, i);
            judge.Check(series, 0, i * 10);
        }
        Assert.Equal(257, series.Query(10, 5120).Value(Statistic.Quantile(50.1m)));
    }
}
