namespace Meanwhile.Windows.Tests;

public class ReplayTests
{
    private static readonly WindowLayout Layout = new(2_100_000, [60_000, 300_000, 1_800_000], Statistic.ParseList("count,sum,mean,min,max,first,last,p50,stddev,twa,ewma"));

    [Theory]
    [InlineData(40_000)]
    [InlineData(1_000)]
    [InlineData(30)]
    public void Replaying_what_is_held_gives_what_is_published_without_a_restart(int largestGapMs)
    {
        var random = Seeds.Next();
        var (live, held, newest) = (new SlidingSeries(Layout), new List<(long Time, double Value)>(), 1_700_000_000_000);
        for (var i = 0; i < 20_000; i++)
        {
            newest += random.Next(largestGapMs);
            var (time, value) = (newest - (random.Next(10) == 0 ? random.Next(600_000) : 0), 20 + random.NextDouble());
            live.Add(time, value);
            held.Add((time, value));
            live.DropBefore(newest - Layout.RetentionMs);
        }
        newest = held.Max(r => r.Time);

        var restarted = new SlidingSeries(Layout);
        foreach (var (time, value) in held.Where(r => r.Time >= newest - Layout.RetentionMs))
            restarted.Add(time, value);
        foreach (var window in Layout.WindowsMs)
        {
            foreach (var statistic in Layout.Statistics)
            {
                var before = live.Query(newest - window, newest).Value(statistic);
                var after = restarted.Query(newest - window, newest).Value(statistic);
                // A window may hold one reading only, which has no deviation.
                Assert.Equal(before is null, after is null);
                Assert.True(before is not null || (statistic.Kind == StatisticKind.StdDev && live.Query(newest - window, newest).Value(Statistic.Of(StatisticKind.Count)) == 1));
                var sameBits = statistic.Kind is not (StatisticKind.StdDev or StatisticKind.Twa or StatisticKind.Ewma);
                Assert.Equal(before ?? 0, after ?? 0, sameBits ? 0 : before * 1e-12 ?? 0);
            }
        }
    }
}
