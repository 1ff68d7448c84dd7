using Meanwhile.Feeds;
using Meanwhile.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Feeds;

public class ReconnectTests
{
    [Fact]
    public void Short_connections_in_a_row_are_a_take_over()
    {
        var time = new FakeTimeProvider();
        var detector = new TakeOverDetector(time);
        for (var i = 1; i <= 3; i++)
        {
            detector.Accepted();
            time.Advance(TimeSpan.FromSeconds(4.9));
            Assert.False(detector.Ended(out var isTakeOver));
            Assert.Equal(i == 3, isTakeOver);
        }
    }

    [Fact]
    public void A_broker_that_restarts_or_is_away_is_no_take_over()
    {
        var time = new FakeTimeProvider();
        var detector = new TakeOverDetector(time);
        for (var i = 0; i < 100; i++)
        {
            detector.Accepted();
            time.Advance(TimeSpan.FromSeconds(i % 3 == 2 ? 6 : 1));
            Assert.Equal(i % 3 == 2, detector.Ended(out var isTakeOver));
            Assert.False(isTakeOver);
            Assert.False(detector.Ended(out isTakeOver)); // An attempt that found nobody.
            Assert.False(isTakeOver);
        }
    }

    [Fact]
    public void One_line_a_minute_for_each_cause_and_the_others_are_counted()
    {
        var time = new FakeTimeProvider();
        var limiter = new LogLimiter(time);

        Assert.True(limiter.MayLog("a", out var repeated));
        Assert.Equal("", repeated);
        Assert.False(limiter.MayLog("a", out _));
        Assert.False(limiter.MayLog("a", out _));
        Assert.True(limiter.MayLog("b", out _));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.True(limiter.MayLog("a", out repeated));
        Assert.Equal("; 2 more like it since the last such line", repeated);
    }
}
