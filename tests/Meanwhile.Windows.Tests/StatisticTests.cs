namespace Meanwhile.Windows.Tests;

public class StatisticTests
{
    [Theory]
    [InlineData("count,sum,avg,min,max,first,last,range,var,varp,stddev,stddevp,rate,twa,ewma")]
    [InlineData("p0,p50,p99.9,p100")]
    public void Names_read_back_as_they_are_written(string names) => Assert.Equal(names, string.Join(',', Statistic.ParseList(names)));

    [Fact]
    public void The_mean_has_two_names_and_each_statistic_appears_once() =>
        Assert.Equal([Statistic.Of(StatisticKind.Mean), Statistic.Quantile(50)], Statistic.ParseList("mean, avg,p50, p50.0"));

    [Theory]
    [InlineData("median")]
    [InlineData("")]
    [InlineData("p")]
    [InlineData("p101")]
    [InlineData("p-1")]
    [InlineData("P50")]
    public void An_unknown_name_is_refused_with_those_that_exist(string name)
    {
        var error = Assert.Throws<FormatException>(() => Statistic.Parse(name));
        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("stddev", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5)] // Sparse.
    [InlineData(5000)] // A tree.
    public void What_held_before_the_span_counts_from_its_start_in_a_mean_over_time(int earlier)
    {
        var twa = Statistic.Of(StatisticKind.Twa);
        var series = new SlidingSeries(new WindowLayout(100_000_000, [60_000], [twa]));
        for (var i = -earlier; i <= 0; i++)
            series.Add(i * 1000, i);
        series.Add(90_000, 20);
        Assert.Equal(20.0 * 30 / 60, series.Query(60_000, 120_000).Value(twa)); // 0 for half of it.
        Assert.Equal(0, series.Query(30_000, 90_000).Value(twa));
        series.Add(40_000, 10); // Late.
        Assert.Equal(15, series.Query(60_000, 120_000).Value(twa));
        Assert.Equal((50 * 10 + 0.0) / 60, series.Query(30_000, 90_000).Value(twa));
        Assert.Null(series.Query(41_000, 89_000).Value(twa)); // Without a reading, as everywhere.
        series.DropBefore(50_000);
        Assert.Equal(20, series.Query(60_000, 120_000).Value(twa)); // Nothing is known before.
        Assert.Equal(20, series.Query(90_000, 90_000).Value(twa));
    }

    [Fact]
    public void What_the_layout_does_not_keep_cannot_be_asked_for()
    {
        var series = new SlidingSeries(WindowLayout.Default);
        series.Add(0, 1);
        foreach (var name in new[] { "min", "last", "stddevp", "twa", "ewma", "p50" })
            Assert.Throws<InvalidOperationException>(() => series.Query(0, 0).Value(Statistic.Parse(name)));
    }

    [Fact]
    public void Windows_lie_between_a_millisecond_and_the_retention()
    {
        Assert.Throws<ArgumentException>(() => new WindowLayout(1000, [], []));
        Assert.Throws<ArgumentException>(() => new WindowLayout(1000, [0], []));
        Assert.Throws<ArgumentException>(() => new WindowLayout(1000, [1001], []));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_reading_is_a_finite_number(double value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SlidingSeries(WindowLayout.Default).Add(0, value));
}
