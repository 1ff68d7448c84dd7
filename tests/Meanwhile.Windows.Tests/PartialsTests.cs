namespace Meanwhile.Windows.Tests;

/// <summary>The laws of combining, for everything that a layout can keep.</summary>
public class PartialsTests
{
    private static readonly Parts Everything =
        new(Statistic.ParseList("count,sum,mean,min,max,first,last,range,var,varp,stddev,stddevp,rate,twa,ewma"), [60_000, 1_800_000]);

    [Fact]
    public void Combining_neighbours_is_associative_and_empty_ones_change_nothing()
    {
        var random = Seeds.Next();
        for (var round = 0; round < 5_000; round++)
        {
            var time = 1_700_000_000_000;
            Partials Few()
            {
                var few = new Partials(1, Everything);
                for (var i = random.Next(1, 6); i > 0; i--)
                {
                    time += random.Next(3) * random.Next(20_000);
                    Add(few, Lifted(time, Math.ScaleB(random.NextDouble() - 0.5, random.Next(40))));
                }
                return few;
            }
            var (a, b, c, empty) = (Few(), Few(), Few(), new Partials(1, Everything));

            AssertSame(Sum(Sum(a, b), c), Sum(a, Sum(b, c)), round);
            AssertSame(a, Sum(empty, a), round);
            var joined = new Partials(1, Everything);
            joined.Join(0, a, 0, empty, 0);
            AssertSame(a, joined, round);
            joined.Join(0, a, 0, b, 0);
            AssertSame(Sum(a, b), joined, round);
        }
    }

    private static Partials Lifted(long time, double value)
    {
        var lifted = new Partials(1, Everything);
        lifted.Lift(0, time, value);
        return lifted;
    }

    private static void Add(in Partials to, in Partials newer) => to.Combine(0, newer, 0);

    private static Partials Sum(in Partials older, in Partials newer)
    {
        var sum = new Partials(1, Everything);
        sum.Combine(0, older, 0);
        sum.Combine(0, newer, 0);
        return sum;
    }

    // To the bit but for what is kept in plain doubles: deviations, means over time and decaying ones.
    private static void AssertSame(in Partials expected, in Partials found, int round)
    {
        Assert.Equal((expected.SumOf(0).Count, expected.SumOf(0).WideMean), (found.SumOf(0).Count, found.SumOf(0).WideMean));
        var all = expected.RestOf(0);
        var others = found.RestOf(0);
        var scale = Math.Max(Math.Abs(all[Everything.Extremes]), Math.Abs(all[Everything.Extremes + 1]));
        for (var i = 0; i < all.Length; i++)
        {
            var inDoubles = i == Everything.Spread || i == Everything.Step || i >= Everything.Decay;
            var slack = inDoubles ? 1e-12 * Math.Max(scale, all[i]) : 0;
            Assert.True(Math.Abs(all[i] - others[i]) <= slack, $"round {round}, part {i}: {all[i]:R} and {others[i]:R}");
        }
    }
}
