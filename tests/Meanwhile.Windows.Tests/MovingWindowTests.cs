namespace Meanwhile.Windows.Tests;

/// <summary>Windows asked for after every single reading, so that each answer rests on the one before it.</summary>
public class MovingWindowTests
{
    private const long Start = 1_700_000_000_000;
    private static readonly Statistic Count = Statistic.Of(StatisticKind.Count);
    private static readonly Statistic Sum = Statistic.Of(StatisticKind.Sum);

    [Theory]
    [InlineData("sum", 1, 10)]
    [InlineData("sum", 1000, 0)]
    [InlineData("sum,min,max", 1, 0)]
    [InlineData("sum,min,max", 1000, 10)]
    [InlineData("sum,min,max,first,last", 1, 10)]
    [InlineData("sum,min,max,first,last", 1000, 0)]
    [InlineData("sum,min,max,first,last", 1000, 30)]
    public void Each_reading_moves_them_exactly(string statistics, int roundToMs, int latePercent)
    {
        var random = Seeds.Next();
        var layout = new WindowLayout(1_000_000, [20_000, 150_000, 900_000], Statistic.ParseList(statistics));
        var (series, held, newest, cutoff) = (new SlidingSeries(layout), new List<(long Time, double Value)>(), Start, 0L);
        for (var i = 0; i < 4_000; i++)
        {
            newest += random.Next(500) == 0 ? random.Next(500_000) : random.Next(1_500);
            var time = random.Next(100) < latePercent ? newest - random.Next(1_000_000) : newest;
            var reading = (Time: time - time % roundToMs, Value: (double)random.Next(-100, 100));
            if (series.Add(reading.Time, reading.Value))
                held.Add(reading);
            if (random.Next(50) == 0)
            {
                cutoff = Math.Max(cutoff, newest - random.Next(900_000, 1_000_000));
                series.DropBefore(cutoff);
                held.RemoveAll(r => r.Time < cutoff);
            }
            // The newest reading's time, and now and then a clock that has gone on.
            var now = Math.Max(series.Newest ?? newest, newest - newest % roundToMs) + (random.Next(20) == 0 ? random.Next(3_000) : 0);
            foreach (var window in layout.WindowsMs)
                Check(series, layout, [.. held.Where(r => r.Time >= now - window).OrderBy(r => r.Time).Select(r => r.Value)], now - window, now);
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 10)]
    [InlineData(1000, 30)]
    public void Each_reading_moves_the_mean_over_time(int roundToMs, int latePercent)
    {
        var random = Seeds.Next();
        var layout = new WindowLayout(400_000, [20_000, 150_000], Statistic.ParseList("mean,twa"));
        var (series, judge, newest, cutoff) = (new SlidingSeries(layout), new Judge(layout), Start, 0L);
        for (var i = 0; i < 2_000; i++)
        {
            newest += random.Next(200) == 0 ? random.Next(200_000) : random.Next(1_500);
            var time = random.Next(100) < latePercent ? newest - random.Next(200_000) : newest;
            time -= time % roundToMs;
            var value = (double)random.Next(-100, 100);
            if (series.Add(time, value))
                judge.Add(time, value);
            if (random.Next(50) == 0)
            {
                cutoff = Math.Max(cutoff, newest - random.Next(150_000, 400_000));
                series.DropBefore(cutoff);
                judge.DropBefore(cutoff);
            }
            var now = Math.Max(series.Newest ?? newest, newest - (newest % roundToMs)) + (random.Next(20) == 0 ? random.Next(3_000) : 0);
            foreach (var window in layout.WindowsMs)
                judge.Check(series, now - window, now);
        }
    }

    [Theory]
    [InlineData("sum", 30_000)]
    [InlineData("sum,min,max", 12_000)]
    [InlineData("sum,min,max,first,last", 12_000)]
    public void Trees_of_three_levels_are_exact(string statistics, int readings)
    {
        var random = Seeds.Next();
        var layout = new WindowLayout(20_000, [20_000], Statistic.ParseList(statistics));
        var (series, held, newest) = (new SlidingSeries(layout), new List<(long Time, double Value)>(), Start);
        int PlaceOf(long time) => ~held.BinarySearch((time, double.NaN), Comparer<(long Time, double)>.Create((a, b) => a.Time < b.Time ? -1 : 1));
        void CheckSpan(long from, long to) => Check(series, layout, [.. held[PlaceOf(from)..PlaceOf(to + 1)].Select(r => r.Value)], from, to);
        for (var i = 0; i < readings; i++)
        {
            newest += random.Next(1, 10);
            var time = random.Next(10) == 0 && held.Count > 0 ? random.NextInt64(held[0].Time, newest) : newest;
            var reading = (Time: time, Value: (double)random.Next(-100, 100));
            Assert.True(series.Add(reading.Time, reading.Value));
            held.Insert(PlaceOf(reading.Time + 1), reading);
            // Often enough for each leaf to be the one in which a window starts.
            if (i % 40 != 0)
                continue;
            CheckSpan(newest - 20_000, newest);
            var (a, b) = (held[random.Next(held.Count)].Time, held[random.Next(held.Count)].Time + random.Next(-1, 2));
            CheckSpan(Math.Min(a, b), Math.Max(a, b));
            Assert.Equal(held[PlaceOf(b - 1)].Time, series.FirstFrom(b - 1));
            Assert.Equal(held[0].Time, series.FirstFrom(Start));
            if (random.Next(100) != 0)
                continue;
            series.DropBefore(a = held[held.Count / 10].Time);
            held.RemoveRange(0, PlaceOf(a));
        }
    }

    [Fact]
    public void What_has_expired_does_not_come_back_to_a_window_with_the_clock()
    {
        var table = new SeriesTable<string>(new WindowLayout(100_000, [100_000], [Sum]), 1_000_000);
        for (var i = 0; i < 1000; i++)
            table.Add("a", Start + i * 100, 1, Start);
        double? Counted() => table.Find("a")!.Query(Start, Start + 100_000).Value(Count);
        Assert.Equal(1000, Counted());
        table.Advance(Start + 100_000 + 50_000, []);
        table.Advance(Start + 100_000, []);
        Assert.Equal(500, Counted());
    }

    [Fact]
    public void A_late_reading_before_all_others_is_left_out_of_a_span_that_starts_behind_it()
    {
        var series = new SlidingSeries(WindowLayout.Default);
        for (var i = 0; i < 200; i++)
            series.Add(Start + i, 1);
        series.Add(Start - 10, 1);
        Assert.Equal(200, series.Query(Start - 9, Start + 1000).Value(Count));
        Assert.Equal(201, series.Query(Start - 10, Start + 1000).Value(Count));
    }

    [Fact]
    public void One_late_reading_is_seen_at_once_by_quantiles_and_by_the_search_for_the_first()
    {
        var layout = new WindowLayout(1_000_000, [20_000, 150_000], Statistic.ParseList("mean,p0.1,p50"));
        var (series, judge) = (new SlidingSeries(layout), new Judge(layout));
        void Add(long time, double value)
        {
            series.Add(time, value);
            judge.Add(time, value);
            foreach (var window in layout.WindowsMs)
                judge.Check(series, judge.Newest - window, judge.Newest);
        }
        for (var i = 0; i < 400; i++)
            Add(Start + i * 50, i % 7);
        Add(Start + 19_001, -100);
        series.Add(Start + 18_999, -200);
        Assert.Equal(Start + 18_999, series.FirstFrom(Start + 18_951));
    }

    private static void Check(SlidingSeries series, WindowLayout layout, double[] inside, long from, long to)
    {
        var found = series.Query(from, to);
        Assert.Equal(inside.Length, found.Value(Count));
        foreach (var statistic in layout.Statistics)
        {
            double? expected = inside.Length == 0 ? null : statistic.Kind switch
            {
                StatisticKind.Sum => inside.Sum(),
                StatisticKind.Min => inside.Min(),
                StatisticKind.Max => inside.Max(),
                StatisticKind.First => inside[0],
                _ => inside[^1],
            };
            Assert.Equal(expected, found.Value(statistic));
        }
    }
}
