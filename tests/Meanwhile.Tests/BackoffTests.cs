using Meanwhile.Shared;

namespace Meanwhile.Tests;

public class BackoffTests
{
    [Fact]
    public void Waits_double_up_to_the_limit_with_jitter_and_start_again_after_a_success()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(15));
        double[] nominal = [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000];
        foreach (var milliseconds in nominal)
            Assert.InRange(backoff.Next().TotalMilliseconds, milliseconds / 2, milliseconds);
        for (var i = 0; i < 100_000; i++)
            Assert.InRange(backoff.Next().TotalMilliseconds, 7500, 15_000);
        Assert.NotEqual(backoff.Next(), backoff.Next());

        backoff.Reset();
        Assert.InRange(backoff.Next().TotalMilliseconds, 125, 250);
    }
}
