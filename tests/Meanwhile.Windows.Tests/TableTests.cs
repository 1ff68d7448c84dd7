namespace Meanwhile.Windows.Tests;

public class TableTests
{
    private const long Now = 1_700_000_000_000;
    private const long Retention = 2_100_000;
    private const long MaxAhead = 300_000;
    private static readonly Statistic Count = Statistic.Of(StatisticKind.Count);

    private readonly SeriesTable<string> _table = new(WindowLayout.Default, MaxAhead);

    [Theory]
    [InlineData(-Retention, ReadingOutcome.Added)]
    [InlineData(-Retention - 1, ReadingOutcome.Expired)]
    [InlineData(MaxAhead, ReadingOutcome.Added)]
    [InlineData(MaxAhead + 1, ReadingOutcome.Ahead)]
    public void Expired_and_ahead_are_told_apart_to_the_millisecond(long offset, ReadingOutcome outcome)
    {
        Assert.Equal(outcome, _table.Judge(Now + offset, Now));
        Assert.Equal(outcome, _table.Add("a", Now + offset, 1, Now));
        Assert.Equal(outcome == ReadingOutcome.Added ? 1 : 0, _table.Count);
    }

    [Fact]
    public void A_series_without_readings_in_the_retention_is_forgotten_and_comes_back()
    {
        _table.Add("a", Now, 1, Now);
        _table.Add("b", Now + 1, 1, Now);
        var forgotten = new List<string>();
        _table.Advance(Now + Retention, forgotten);
        Assert.Equal(2, _table.Count);
        _table.Advance(Now + Retention + 1, forgotten);
        Assert.Null(_table.Find("a"));
        Assert.NotNull(_table.Find("b"));

        _table.Add("a", Now + Retention, 2, Now + Retention + 1);
        Assert.Equal(1, _table.Find("a")!.Query(0, long.MaxValue).Value(Count));
        Assert.Empty(forgotten);
    }

    [Fact]
    public void What_is_older_than_the_retention_is_in_no_answer_even_before_its_room_is_given_up()
    {
        _table.Add("a", Now, 1, Now);
        _table.Add("a", Now + 5, 1, Now + 5);
        _table.Add("b", Now + 5, 1, Now + Retention + 1);
        Assert.Equal(1, _table.Find("a")!.Query(Now, Now + 5).Value(Count));
    }

    [Fact]
    public void Ten_thousand_idle_series_are_forgotten_and_their_room_is_given_up()
    {
        var table = new SeriesTable<int>(WindowLayout.Default, MaxAhead);
        for (var i = 0; i < 10_000; i++)
            table.Add(i, Now, 1, Now);
        table.Advance(Now + 3 * Retention, []);
        Assert.Equal(0, table.Count);
        table.Add(1, Now + 3 * Retention, 1, Now + 3 * Retention);
        Assert.Equal(1, table.Count);
    }

    [Theory]
    [InlineData("mean")]
    [InlineData("min,twa,p95")]
    public void Who_waits_for_the_end_of_a_series_is_told_and_what_it_took_is_given_back(string statistics)
    {
        var table = new SeriesTable<int>(new WindowLayout(Retention, [Retention], Statistic.ParseList(statistics)), MaxAhead);
        var forgotten = 0;
        for (var i = 0; i < 2_000; i++)
        {
            for (var reading = 0; reading < (i % 3 == 0 ? 500 : i % 60); reading++)
                table.Add(i, Now + (i % 2 == 0 ? reading : -reading), reading, Now);
            if (table.Find(i) is { } series)
                series.Forgotten = () => forgotten++;
        }
        var (count, full) = (table.Count, table.Bytes);
        Assert.InRange(full, count * 200L, count * 40_000L);
        table.Advance(Now + (3 * Retention), []);
        Assert.Equal((count, 0), (forgotten, table.Count));
        Assert.InRange(table.Bytes, 0, 4096 * 128 * 80); // The nodes that are laid by.
    }

    [Fact]
    public void Exactly_the_series_that_lose_a_reading_to_a_window_are_listed_as_the_clock_moves()
    {
        var random = Seeds.Next();
        var layout = new WindowLayout(100_000, [3_000, 20_000, 100_000], [Statistic.Of(StatisticKind.Mean)]);
        var table = new SeriesTable<int>(layout, 5_000, followsClock: true);
        var readings = new Dictionary<int, List<long>>();
        var clock = Now;
        table.Advance(clock, []);
        for (var step = 0; step < 3_000; step++)
        {
            // By turns in steps that let readings stand exactly at the ends of windows.
            var unit = step % 200 < 100 ? 250 : 1;
            for (var i = random.Next(4); i > 0; i--)
            {
                var (key, time) = (random.Next(30), clock + random.Next(-40_000 / unit, 5_000 / unit) * unit);
                table.Add(key, time, 1, clock);
                if (!readings.TryGetValue(key, out var times))
                    readings[key] = times = [];
                times.Add(time);
            }
            var (before, after) = (clock, clock + (random.Next(100) == 0 ? random.Next(200_000 / unit) : random.Next(1_500 / unit)) * unit);
            var expected = readings.Where(r => Leaves(layout, r.Value, before, after)).Select(r => r.Key).Order();
            var changed = new List<int>();
            table.Advance(clock = after, changed);
            Assert.Equal(expected, changed.Order());

            foreach (var times in readings.Values)
                times.RemoveAll(t => t < clock - layout.RetentionMs);
            Assert.Equal(readings.Count(r => r.Value.Count > 0), table.Count);
        }
    }

    [Fact]
    public void What_is_no_number_leaves_no_series_behind()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _table.Add("a", Now, double.NaN, Now));
        Assert.Equal(0, _table.Count);
    }

    [Fact]
    public void A_clock_that_goes_back_does_not_stop_the_forgetting()
    {
        _table.Add("a", Now, 1, Now);
        _table.Advance(Now + 60_000, []);
        _table.Advance(Now - 60_000, []);
        _table.Advance(Now + Retention + 1, []);
        Assert.Equal(0, _table.Count);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public void What_has_expired_does_not_come_back_with_the_clock(int readings)
    {
        for (var i = 0; i < readings; i++)
            _table.Add("a", Now + i, 1, Now);
        var half = readings / 2;
        _table.Advance(Now + half + Retention, []);
        _table.Advance(Now, []);
        Assert.Equal(readings - half, _table.Find("a")!.Query(Now - Retention, Now + readings).Value(Count));

        _table.Add("b", Now + Retention, 1, Now + Retention + readings);
        _table.Add("b", Now, 1, Now);
        Assert.Null(_table.Find("a")?.Newest);
        Assert.Equal(0, _table.Find("a")?.Query(Now - Retention, Now + readings).Value(Count) ?? 0);
    }

    [Fact]
    public void Nor_does_a_late_reading()
    {
        for (var i = 0; i < 1000; i++)
            _table.Add("a", Now + i, 1, Now);
        _table.Add("a", Now + 100, 1, Now);
        _table.Add("a", Now + 900, 1, Now);
        _table.Advance(Now + 500 + Retention, []);
        _table.Advance(Now, []);
        Assert.Equal(501, _table.Find("a")!.Query(Now - Retention, Now + 1000).Value(Count));
    }

    [Theory]
    [InlineData("sum", 30_000)]
    [InlineData("first", 12_000)]
    public void Nor_does_it_in_a_tree_of_three_levels_wherever_the_clock_has_been(string statistics, int readings)
    {
        var table = new SeriesTable<string>(new WindowLayout(Retention, [Retention], Statistic.ParseList(statistics)), Retention);
        for (var i = 0; i < readings; i++)
            table.Add("a", Now + i, 1, Now);
        // Often enough to end in each leaf.
        for (var gone = 0; gone < readings; gone += 40)
        {
            table.Advance(Now + Retention + gone, []);
            table.Advance(Now, []);
            Assert.Equal(readings - gone, table.Find("a")!.Query(Now - 1, Now + readings).Value(Count));
        }
    }

    [Theory]
    [InlineData("sum")]
    [InlineData("sum,last")]
    [InlineData("sum,p50")]
    public void A_clock_that_goes_either_way_leaves_what_has_never_expired(string statistics)
    {
        var random = Seeds.Next();
        var layout = new WindowLayout(100_000, [10_000, 60_000, 100_000], Statistic.ParseList(statistics));
        var (table, held, now) = (new SeriesTable<int>(layout, 5_000, followsClock: true), new List<(int Key, long Time, double Value)>(), Now);
        for (var i = 0; i < 20_000; i++)
        {
            now += random.Next(300) switch { 0 => random.Next(-60_000, 60_000), < 20 => random.Next(-3_000, 3_000), _ => random.Next(30) };
            var reading = (Key: random.Next(3), Time: now + random.Next(10) switch { 0 => -random.Next(110_000), 1 => random.Next(6_000), _ => 0 }, Value: (double)random.Next(-100, 100));
            if (random.Next(10) == 0)
                table.Advance(now, []);
            else if (table.Add(reading.Key, reading.Time, reading.Value, now) == ReadingOutcome.Added)
                held.Add(reading);
            else
                continue;
            held.RemoveAll(r => r.Time < now - layout.RetentionMs);
            if (random.Next(20) != 0 || table.Find(reading.Key) is not { Newest: { } newest } series)
                continue;
            foreach (var window in layout.WindowsMs)
            {
                // With readings ahead of it, when it has gone back, or before.
                var end = random.Next(2) == 0 ? now : Math.Max(now, newest);
                var inside = held.Where(r => r.Key == reading.Key && r.Time >= end - window && r.Time <= end).ToList();
                var found = series.Query(end - window, end);
                Assert.Equal(inside.Count, found.Value(Count));
                Assert.Equal(inside.Count == 0 ? null : inside.Sum(r => r.Value), found.Value(Statistic.Of(StatisticKind.Sum)));
            }
        }
    }

    private static bool Leaves(WindowLayout layout, List<long> times, long before, long after)
    {
        if (times.Count == 0)
            return false;
        var (start, end) = (Math.Max(before, times.Max()), Math.Max(after, times.Max()));
        return layout.WindowsMs.Any(w => times.Exists(t => t >= start - w && t < end - w));
    }
}
