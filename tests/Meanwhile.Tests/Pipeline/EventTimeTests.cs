using System.Text;
using Meanwhile.Pipeline;

namespace Meanwhile.Tests.Pipeline;

public class EventTimeTests
{
    [Theory]
    [InlineData("1669940235", 1669940235000)]
    [InlineData("1669940235.123", 1669940235123)]
    [InlineData("1669940235.1239999999999999999", 1669940235123)]
    [InlineData("1.669940235e9", 1669940235000)]
    [InlineData("-1.5", -1500)]
    [InlineData("-0.0001", -1)]
    [InlineData("0", 0)]
    [InlineData("99999999999", 99999999999000)]
    [InlineData("100000000000", 100000000000)]
    [InlineData("1669940235123", 1669940235123)]
    [InlineData("1669940235123.9", 1669940235123)]
    [InlineData("99999999999999", 99999999999999)]
    [InlineData("100000000000000", 100000000000)]
    [InlineData("1669940235123456", 1669940235123)]
    [InlineData("99999999999999999", 99999999999999)]
    [InlineData("100000000000000000", 100000000000)]
    [InlineData("1669940235123456789", 1669940235123)]
    [InlineData("2022-12-02T00:17:15Z", 1669940235000)]
    [InlineData("2022-12-02T00:17:15.123Z", 1669940235123)]
    [InlineData("2022-12-02T00:17:15.1239999Z", 1669940235123)]
    [InlineData("2022-12-02T00:17:15.123999999Z", 1669940235123)]
    [InlineData("2022-12-02T01:17:15.123999999+01:00", 1669940235123)]
    [InlineData("2022-12-02T01:17:15+01:00", 1669940235000)]
    [InlineData("2022-12-01T18:47:15.5-05:30", 1669940235500)]
    [InlineData("2022-12-02 00:17:15Z", 1669940235000)]
    [InlineData("2022-12-02T00:17Z", 1669940220000)]
    [InlineData("20221202T001715Z", 1669940235000)]
    public void A_time_is_read_to_the_millisecond(string text, long expected)
    {
        Assert.True(EventTime.TryParse(Encoding.UTF8.GetBytes(text), out var milliseconds));
        Assert.Equal(expected, milliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("NaN")]
    [InlineData("1e30")]
    [InlineData("100000000000000000000")]
    [InlineData("2022-12-02T00:17:15")]
    [InlineData("2022-12-02")]
    [InlineData("2022-13-02T00:17:15Z")]
    [InlineData("2022-12-02T00:17:15 CET")]
    [InlineData("2022-12-02T00:17:15.1234567890123456789012Z")]
    public void Anything_else_is_no_time(string text) => Assert.False(EventTime.TryParse(Encoding.UTF8.GetBytes(text), out _));
}
