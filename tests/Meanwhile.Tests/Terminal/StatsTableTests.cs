using System.Text;
using Meanwhile.Terminal;

namespace Meanwhile.Tests.Terminal;

public class StatsTableTests
{
    [Theory]
    [InlineData(
        """{"avg_1min": 46, "avg_5min": 45.7, "avg_30min": 47.17777777777778}""",
        "  avg_1min    avg_5min    avg_30min\n----------  ----------  -----------\n        46        45.7      47.1778\n")]
    [InlineData(
        """{"avg_1min": 60.4, "avg_5min": 50.666666666666664, "avg_30min": 49}""",
        "  avg_1min    avg_5min    avg_30min\n----------  ----------  -----------\n      60.4     50.6667           49\n")]
    [InlineData(
        """{"avg_1min": -1.234567e+100, "avg_5min": null, "avg_30min": 0.5}""",
        "     avg_1min    avg_5min    avg_30min\n-------------  ----------  -----------\n-1.23457e+100                      0.5\n")]
    [InlineData(
        """{"avg_1min": 1E-07, "avg_5min": 1234567, "avg_30min": null}""",
        "  avg_1min     avg_5min    avg_30min\n----------  -----------  -----------\n     1e-07  1.23457e+06\n")]
    [InlineData("""{"p99.9_90s": 1}""", "  p99.9_90s\n-----------\n          1\n")]
    public void The_table_is_the_seeds_to_the_byte(string result, string table)
    {
        Assert.True(StatsResult.TryParse(Encoding.UTF8.GetBytes(result), out var members, out _));
        Assert.Equal(table, StatsTable.Format(members));
    }

    [Theory]
    [InlineData("")]
    [InlineData("46")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{")]
    [InlineData("""{"a": "b"}""")]
    [InlineData("""{"a": {"b": 1}}""")]
    [InlineData("""{"a": 1e999}""")]
    [InlineData("""{"a": 1} x""")]
    [InlineData("""{"\ud800": 1}""")]
    public void What_is_no_result_is_told_apart(string payload)
    {
        Assert.False(StatsResult.TryParse(Encoding.UTF8.GetBytes(payload), out var members, out var reason));
        Assert.Empty(members);
        Assert.NotNull(reason);
    }

    [Fact]
    public void A_byte_order_mark_before_a_result_is_accepted() => Assert.True(StatsResult.TryParse("\uFEFF{\"avg_1min\": 46}"u8, out _, out _));

    [Fact]
    public void Names_do_not_steer_the_terminal()
    {
        Assert.True(StatsResult.TryParse("""{"\u001b[2J\n": 1}"""u8, out var members, out _));
        var table = StatsTable.Format(members);
        Assert.DoesNotContain('\u001b', table);
        Assert.Equal(3, table.Count(c => c == '\n'));
    }

    // Expected texts were made by C's printf("%g").
    [Theory]
    [InlineData(0, "0")]
    [InlineData(-0.0, "-0")]
    [InlineData(1, "1")]
    [InlineData(0.1, "0.1")]
    [InlineData(100, "100")]
    [InlineData(123456, "123456")]
    [InlineData(1234567, "1.23457e+06")]
    [InlineData(999999.4, "999999")]
    [InlineData(999999.5, "1e+06")]
    [InlineData(100000.5, "100000")]
    [InlineData(100001.5, "100002")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00012345678, "0.000123457")]
    [InlineData(0.0000999999, "9.99999e-05")]
    [InlineData(0.000099999951, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(-47.17777777777778, "-47.1778")]
    [InlineData(1e100, "1e+100")]
    [InlineData(double.MaxValue, "1.79769e+308")]
    [InlineData(double.Epsilon, "4.94066e-324")]
    [InlineData(2.5, "2.5")]
    [InlineData(1e15, "1e+15")]
    public void Numbers_are_written_as_c_writes_them(double value, string text) => Assert.Equal(text, GeneralFormat.Format(value));
}
