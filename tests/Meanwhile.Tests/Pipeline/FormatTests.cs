using System.Text;
using Meanwhile.Pipeline;
using Meanwhile.Windows;

namespace Meanwhile.Tests.Pipeline;

public class FormatTests
{
    [Fact]
    public void Results_are_the_seeds_bytes()
    {
        var writer = new ResultWriter(WindowSpan.Defaults, [Statistic.Of(StatisticKind.Mean)]);

        Assert.Equal("""{"avg_1min": 46, "avg_5min": 45.7, "avg_30min": 47.17777777777778}""", Encoding.UTF8.GetString(writer.Write([46, 45.7, 2123.0 / 45]).Span));
        Assert.Equal("""{"avg_1min": null, "avg_5min": -0.1, "avg_30min": 1E+17}""", Encoding.UTF8.GetString(writer.Write([null, -0.1, 1e17]).Span));
        Assert.Equal(
            """{"avg_1min": 5E-324, "avg_5min": -1.7976931348623157E+308, "avg_30min": 0.30000000000000004}""",
            Encoding.UTF8.GetString(writer.Write([double.Epsilon, double.MinValue, 0.1 + 0.2]).Span));
    }

    [Fact]
    public void Further_statistics_follow_statistic_by_statistic()
    {
        var writer = new ResultWriter(WindowSpan.ParseList("60s,2h"), Statistic.ParseList("mean,count,p99.9"));
        Assert.Equal(
            """{"avg_1min": 1.5, "avg_2h": 2, "count_1min": 2, "count_2h": 3, "p99.9_1min": 2, "p99.9_2h": null}""",
            Encoding.UTF8.GetString(writer.Write([1.5, 2, 2, 3, 2, null]).Span));
    }

    [Theory]
    [InlineData("60s,5min,30min", "1min 5min 30min")]
    [InlineData("90s", "90s")]
    [InlineData("120m", "2h")]
    [InlineData("2h, 61s", "2h 61s")]
    [InlineData("1d,36h", "1d 36h")]
    public void A_window_is_named_after_the_largest_unit_that_divides_it(string text, string names) =>
        Assert.Equal(names.Split(' '), WindowSpan.ParseList(text).Select(w => w.Name));

    [Theory]
    [InlineData("")]
    [InlineData("60")]
    [InlineData("60s,1min")]
    [InlineData("0s")]
    [InlineData("-5s")]
    [InlineData("1500ms")]
    [InlineData("8d")]
    [InlineData("5 parsecs")]
    public void Other_windows_are_refused(string text) => Assert.Throws<FormatException>(() => WindowSpan.ParseList(text));

    [Theory]
    [InlineData("/a", true)]
    [InlineData("", true)]
    [InlineData("/a~0~1", true)]
    [InlineData("a", false)]
    [InlineData("/a~", false)]
    [InlineData("/a~2", false)]
    public void A_json_pointer_is_checked(string text, bool isPointer)
    {
        if (isPointer)
            Assert.Equal(text, JsonPointer.Parse(text).ToString());
        else
            Assert.Throws<FormatException>(() => JsonPointer.Parse(text));
    }
}
