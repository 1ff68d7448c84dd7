namespace Meanwhile.Windows.Tests;

/// <summary>What memory costs, counted in bytes. Bytes held are those of the process, so nothing else runs meanwhile.</summary>
[Collection(nameof(CostTests))]
[CollectionDefinition(nameof(CostTests), DisableParallelization = true)]
public class CostTests
{
    // A time at which no large block of the tree begins soon: the first node of its level would be new.
    private const long Start = (50L << 25) * 1000;

    [Theory]
    [InlineData(1, 200)]
    [InlineData(10, 400)]
    public void A_quiet_series_is_small_its_place_in_the_table_included(int readings, int limit)
    {
        const int Series = 20_000;
        var table = new SeriesTable<int>(WindowLayout.Default, 0);
        var before = GC.GetTotalMemory(true);
        for (var i = 0; i < readings; i++)
        {
            for (var key = 0; key < Series; key++)
                table.Add(key, Start + i * 1000, key, Start + i * 1000);
        }
        var each = (GC.GetTotalMemory(true) - before) / (double)Series;
        Hold($"a series with {readings} {(readings == 1 ? "reading" : "readings")}, its place in a table included", each, limit);
        Assert.Equal(Series, table.Count);
    }

    [Fact]
    public void A_thousand_readings_a_second_at_whole_seconds_stay_under_128_KiB()
    {
        // Of the fifty series forty-nine get two readings a second: readings of one time share their room.
        var series = new SlidingSeries[50];
        var before = GC.GetTotalMemory(true);
        for (var i = 0; i < series.Length; i++)
            Fill(series[i] = new SlidingSeries(WindowLayout.Default), 2 * 2100, i == 0 ? 1000 : 2);
        var each = (GC.GetTotalMemory(true) - before) / series.Length;
        Hold("a series with 1,000 readings a second at whole seconds", each, 128 * 1024);
        Assert.Equal(2_101_000, series[0].Query(0, long.MaxValue).Value(Statistic.Of(StatisticKind.Count)));
        Assert.Equal(4_202, series[^1].Query(0, long.MaxValue).Value(Statistic.Of(StatisticKind.Count)));
    }

    [Fact]
    public void A_reading_in_ten_that_is_late_leaves_no_nodes_half_empty()
    {
        const int Readings = 60_000;
        var random = Seeds.Next();
        var series = new SlidingSeries(WindowLayout.Default);
        var before = GC.GetTotalMemory(true);
        for (var i = 0; i < Readings; i++)
            series.Add(Start + i * 18 - (random.Next(10) == 0 ? random.Next(18 * Readings / 2) : 0), i);
        var each = (GC.GetTotalMemory(true) - before) / (double)Readings;
        // 32 would be a full node; halved ones cost 60.
        Hold("a reading of its own millisecond in a series of which one in ten is late", each, 48);
        Assert.Equal(Readings, series.Query(0, long.MaxValue).Value(Statistic.Of(StatisticKind.Count)));
    }

    [Theory]
    [InlineData(1, "mean")]
    [InlineData(1000, "mean")]
    [InlineData(500, "mean,stddev,range,first,twa,ewma")]
    [InlineData(20_000, "mean,stddev,range,first,twa,ewma")]
    [InlineData(500, "p50,p99")]
    public void Steady_work_allocates_nothing(int millisecondsApart, string statistics)
    {
        var layout = new WindowLayout(2100L * millisecondsApart, [60L * millisecondsApart, 300L * millisecondsApart, 1800L * millisecondsApart], Statistic.ParseList(statistics));
        var table = new SeriesTable<int>(layout, 0, followsClock: true);
        var changed = new List<int>(4);
        var (clock, sum) = (Start, 0.0);
        void Work(int readings)
        {
            for (var i = 0; i < readings; i++)
            {
                clock += millisecondsApart;
                var late = i % 10 == 0 ? 7L * millisecondsApart : 0;
                table.Add(1, clock - late, i % 100, clock);
                var series = table.Find(1)!;
                foreach (var window in layout.WindowsMs)
                {
                    var summary = series.Query(clock - window, clock);
                    foreach (var statistic in layout.Statistics)
                        sum += summary.Value(statistic) ?? 0;
                }
                changed.Clear();
                table.Advance(clock, changed);
            }
        }

        Work(8 * 2100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Work(2_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Hold($"allocated by 2,000 readings in steady state, {statistics}, {millisecondsApart} ms apart", allocated, 0);
        Assert.True(double.IsFinite(sum));
    }

    // bench/parts.sh windows-memory shows these lines.
    private static void Hold(string what, double bytes, int limit)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {bytes:F0} bytes, at most {limit}");
        Assert.True(bytes <= limit, $"{what}: {bytes} bytes");
    }

    private static void Fill(SlidingSeries series, int seconds, int eachSecond)
    {
        for (var second = 0L; second < seconds; second++)
        {
            var time = Start + second * 1000;
            for (var i = 0; i < eachSecond; i++)
                series.Add(time, i);
            series.DropBefore(time - WindowLayout.Default.RetentionMs);
            foreach (var window in WindowLayout.Default.WindowsMs)
                series.Query(time - window, time);
        }
    }
}
