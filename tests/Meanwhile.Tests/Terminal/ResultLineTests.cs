using Meanwhile.Terminal;

namespace Meanwhile.Tests.Terminal;

public class ResultLineTests
{
    [Fact]
    public void A_result_is_one_line_whatever_its_names_are()
    {
        StatsMember[] result = [new("avg_1min", 47.17777777777778), new("avg_\n\t5min", null), new("p99.9_30min", 1e300)];
        var line = ResultLine.Format(new DateTimeOffset(2026, 1, 31, 13, 0, 0, 5, TimeSpan.FromHours(1)), "STATS/a\tb\e[2J", result);
        Assert.Equal("2026-01-31T12:00:00.005Z\tSTATS/a\uFFFDb\uFFFD[2J\tavg_1min=47.17777777777778\tavg_\uFFFD\uFFFD5min=null\tp99.9_30min=1E+300\n", line);
    }
}
