using System.Text.Json;
using Meanwhile.Feeds;
using Meanwhile.History;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;
using Meanwhile.Windows;

namespace Meanwhile.Tests.Pipeline;

public sealed class AggregatorTests : AggregatorTest
{
    [Fact]
    public async Task Commits_then_acknowledges_then_publishes()
    {
        await RunAsync(Options, async () =>
        {
            Feed.Acknowledging = () => Assert.Equal(["1"], ReadingsFile.Query(File, "SELECT COUNT(*) FROM messages"));
            Send(46, Start);
            Assert.Equal("""STATS {"avg_1min": 46, "avg_5min": 46, "avg_30min": 46}""", await Feed.ResultAsync());
        });
        Assert.Equal(["acknowledged 1", "published"], Feed.Events.Take(2));
    }

    [Fact]
    public async Task Means_equal_recalculation_from_the_files_rows_after_each_of_ten_thousand_readings()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var (published, expired) = (0, 0);
        await RunAsync(Options, async () =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                // Repeated, late and out-of-retention times, some ahead of the clock, while the clock runs on.
                if (random.Next(4) == 0)
                    Time.Advance(TimeSpan.FromMilliseconds(random.Next(20_000)));
                var now = Time.GetUtcNow().ToUnixTimeMilliseconds();
                var time = now - (random.Next(3) == 0 ? random.Next(2_700_000) : random.Next(-200_000, 100_000));
                time -= random.Next(2) == 0 ? time % 1000 : 0;
                var value = random.Next(5) == 0 ? (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 6)) : random.Next(1, 101);
                Feed.Send("DATA", $$"""{"number": {{value:R}}, "epochtime": {{time / 1000m}}}""");
                if (time < now - 2_100_000)
                {
                    expired++;
                    continue;
                }
                published++;
                CheckAgainstRows(await Feed.ResultAsync(), $"seed {seed}, reading {i}");
            }
        });
        Assert.Equal((published, expired), ((int)Ledger.Committed, (int)Ledger.Expired));
        Assert.Equal(0, Ledger.OnTheWay);
    }

    [Fact]
    public async Task What_is_no_reading_goes_to_the_quarantine_and_the_flow_goes_on()
    {
        var rubbish = new byte[1 << 20];
        new Random(1).NextBytes(rubbish);
        await RunAsync(new AggregatorOptions("#", "STATS"), async () =>
        {
            Feed.Send("DATA", "not JSON");
            Feed.Send("DATA", """{"epochtime": 1}""");
            Feed.Send("DATA", """{"number": "NaN", "epochtime": 1}""");
            Feed.Send("DATA", $$"""{"number": 1, "epochtime": {{Start + 301}}}""");
            Feed.Send("DATA", """{"number": 1, "epochtime": 999999999.9}""");
            Feed.Send("DATA", """{"number": 1, "epochtime": "1970-01-01T00:00:12Z"}""");
            Feed.Send("DATA", """{"number": 1, "epochtime": 851000000000}""");
            Feed.Send("DATA", """{"number": 1, "epochtime": -5}""");
            Feed.Send("DATA", rubbish);
            Feed.Send("odd/\u0001 \"quoted\" '; DROP TABLE messages; -- \u00e9\ud83d\ude00", """{"number": 2}""");
            Feed.Send(new string('x', 65_530), "5");
            Feed.Send("DATA", $$"""{"number": 7, "epochtime": {{Start + 300}}}""");
            Assert.StartsWith("STATS/DATA ", await Feed.ResultAsync(), StringComparison.Ordinal);
        });

        Assert.Equal(
            [
                "DATA|8|neither a JSON object nor a finite number", "DATA|16|no number at /number", "DATA|33|/number is not a finite number",
                "DATA|38|its time is more than 300 s ahead of the clock (--max-ahead)", .. from length in (int[])[39, 50, 40, 30] select $"DATA|{length}|its time is below 1e9 s since 1970, as that of a device whose clock is not set (quarantine replay --time arrival uses the time of arrival)",
                "DATA|1048576|larger than 262144 bytes",
                "odd/\u0001 \"quoted\" '; DROP TABLE messages; -- \u00e9\ud83d\ude00|13|no time at /epochtime (--time names another place, --time arrival does without)",
                new string('x', 65_530) + "|1|its topic leaves no room for the topic of its results",
            ],
            ReadingsFile.Query(File, "SELECT topic, LENGTH(payload), reason FROM quarantine ORDER BY id"));
        Assert.Equal((12, 11, 1, 12), (Ledger.Received, Ledger.Quarantined, Ledger.Committed, Ledger.Acknowledged));
    }

    [Theory]
    [InlineData("ST", true)]
    [InlineData("STATSTATS", false)]
    public async Task A_result_whose_topic_would_be_too_long_is_counted_and_said_and_the_others_go_on(string statsTopic, bool isSent)
    {
        var series = new string('x', 65_530 - 2) + "\u00fc\u00fc";
        await RunAsync(new AggregatorOptions("#", "ST"), async () =>
        {
            Feed.Send(series, "1");
            Assert.StartsWith($"ST/{series} ", await Feed.ResultAsync(), StringComparison.Ordinal);
        });
        await RunAsync(new AggregatorOptions("#", statsTopic) { Tick = TimeSpan.FromSeconds(1) }, async () =>
        {
            await Log.SaysAsync("1 readings of 1 series read back");
            Time.Advance(TimeSpan.FromSeconds(61)); // The reading leaves its first window.
            if (isSent)
                Assert.StartsWith($"ST/{series} ", await Feed.ResultAsync(), StringComparison.Ordinal);
            else
                await Log.SaysAsync("a result cannot be sent: its topic would be longer than 65535 bytes; with this STATS_TOPIC, the topic of a series has 65525 at most");
            Feed.Send("short", "2");
            Assert.StartsWith($"{statsTopic}/short ", await Feed.ResultAsync(), StringComparison.Ordinal);
        });
        Assert.Equal(isSent, Ledger.RefusedResults == 0);
    }

    [Fact]
    public async Task Without_wildcards_the_longest_topic_there_may_be_has_results()
    {
        var topic = new string('x', 65_535);
        await RunAsync(new AggregatorOptions(topic, topic[1..]), async () =>
        {
            Feed.Send(topic, "1");
            Assert.StartsWith($"{topic[1..]} ", await Feed.ResultAsync(), StringComparison.Ordinal);
        });
        Assert.Equal((1, 0), (Ledger.Committed, Ledger.Quarantined));
        Assert.DoesNotContain(Log.Lines, line => line.Contains("STATS_TOPIC", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(5, "results go to xxxxx/TOPIC, for topics of at most 65529 bytes")]
    [InlineData(65_000, "STATS_TOPIC is so long that only topics of at most 534 bytes can have results: choose a shorter one")]
    [InlineData(65_535, "STATS_TOPIC is so long that only topics of at most 0 bytes can have results: choose a shorter one")]
    public async Task How_much_room_the_topic_of_results_leaves_is_said_at_the_start(int length, string said)
    {
        await RunAsync(new AggregatorOptions("#", new string('x', length)), () => Log.SaysAsync(said));
        Assert.Contains(said, Log.Lines);
    }

    [Fact]
    public async Task An_empty_payload_is_acknowledged_counted_and_said_once_a_minute_and_is_neither_reading_nor_fault()
    {
        await RunAsync(new AggregatorOptions("plant/#", "STATS"), async () =>
        {
            Feed.Send("plant/a", []);
            Feed.Send("plant/b", []);
            Feed.Send(Deliveries.Of(DeliveryKind.Redelivery, "plant/b"));
            Feed.Send("plant/a", " ");
            Feed.Send("plant/a", "7");
            await Feed.ResultAsync();
            Time.Advance(TimeSpan.FromSeconds(61));
            Feed.Send("plant/c", []);
        });
        Assert.Equal((6, 3, 1, 1, 1, 6, 0), (Ledger.Received, Ledger.Ignored, Ledger.Duplicates, Ledger.Quarantined, Ledger.Committed, Ledger.Acknowledged, Ledger.OnTheWay));
        Assert.StartsWith("received 6 = committed 1 + quarantined 1 + duplicates 1 + expired 0 + ignored 3; acknowledged 6;", Ledger.ToString(), StringComparison.Ordinal);
        Assert.Equal(["plant/a|1"], ReadingsFile.Query(File, "SELECT topic, LENGTH(payload) FROM quarantine"));
        const string said = "ignored: the payload is empty, as that of a message which clears a retained one (topic plant/";
        Assert.Equal([said + "a)", said + "c); 1 more like it since the last such line"], Log.Lines.Where(line => line.StartsWith("ignored", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_subscription_ends_with_its_session_also_when_both_are_committed_together()
    {
        await RunAsync(Options, async () =>
        {
            Feed.Send(new Delivery { Kind = DeliveryKind.SessionChange, Subscription = "DATA" });
            Feed.Send(new Delivery { Kind = DeliveryKind.SessionChange, Incoming = new Incoming { Kind = IncomingKind.SessionChange, ClientId = "", IdChange = new(IdChangeKind.AllForgotten, 0) } });
            Feed.Send("DATA", "1");
            await Feed.ResultAsync();
        });
        using var store = SqliteStore.Open(File, new StoreOptions("test", "DATA"));
        Assert.Null(store.ReadSession().Subscription);
    }

    [Fact]
    public async Task Redeliveries_and_session_changes_are_acknowledged_and_balance()
    {
        await RunAsync(Options, async () =>
        {
            Feed.Send(new Delivery { Kind = DeliveryKind.SessionChange, Subscription = "DATA" });
            Feed.Send(Deliveries.Of(DeliveryKind.Message, "DATA", "1", new IdChange(IdChangeKind.Received, 7)));
            Feed.Send(Deliveries.Of(DeliveryKind.Redelivery, "DATA", "1"));
            await Feed.ResultAsync();
        });

        Assert.Equal((2, 1, 1, 1), (Ledger.Received, Ledger.Committed, Ledger.Duplicates, Ledger.ReceivedAgain));
        using var store = SqliteStore.Open(File, new StoreOptions("test", "DATA"));
        Assert.Equal([7], store.ReceivedIds());
        Assert.Equal("DATA", store.ReadSession().Subscription);
    }

    [Fact]
    public async Task A_reading_with_an_identity_counts_once_whatever_its_qos_and_whoever_runs()
    {
        var options = Options with { Parser = new ReadingParser(JsonPointer.Parse("/number"), JsonPointer.Parse("/epochtime"), JsonPointer.Parse("/id")) };
        await RunAsync(options, async () =>
        {
            SendWithIdentity(1, "\"x\"");
            SendWithIdentity(2, "7");
            SendWithIdentity(1, "\"x\"");
            SendWithIdentity(3, "\"y\"");
            await ResultWithMeanAsync(2);
        });
        Assert.Equal((4, 3, 1), (Ledger.Received, Ledger.Committed, Ledger.Duplicates));
        await RunAsync(options, async () =>
        {
            SendWithIdentity(2, "7");
            SendWithIdentity(6, "\"z\"");
            await ResultWithMeanAsync(3);
        });
        Assert.Equal((2, 1, 1, 0), (Ledger.Received, Ledger.Committed, Ledger.Duplicates, Ledger.OnTheWay));

        void SendWithIdentity(int number, string identity) => Feed.Send("DATA", $$"""{"id": {{identity}}, "number": {{number}}, "epochtime": {{Start}}}""");

        async Task ResultWithMeanAsync(int mean)
        {
            while (!(await Feed.ResultAsync()).EndsWith($"\"avg_30min\": {mean}}}", StringComparison.Ordinal))
            {
            }
        }
    }

    [Fact]
    public async Task A_bare_number_belongs_to_the_moment_of_its_arrival_however_long_the_store_takes()
    {
        var busy = new TaskCompletionSource();
        await RunAsync(Options, async () =>
        {
            Feed.Acknowledging = busy.Task.Wait; // The data path is held up after the first commit.
            Feed.Send("DATA", "1");
            await Until.TrueAsync(() => Ledger.Committed == 1, () => Ledger.ToString());
            Time.Advance(TimeSpan.FromSeconds(10));
            Feed.Send("DATA", "2");
            Time.Advance(TimeSpan.FromSeconds(90));
            busy.SetResult();
            Assert.EndsWith("\"avg_30min\": 1}", await Feed.ResultAsync(), StringComparison.Ordinal);
            Assert.EndsWith("\"avg_30min\": 1.5}", await Feed.ResultAsync(), StringComparison.Ordinal);
        });
        Assert.Equal([$"{Start}", $"{Start + 10}"], ReadingsFile.Query(File, "SELECT epochtime FROM messages"));
    }

    [Fact]
    public async Task What_the_quarantine_has_no_room_for_is_counted()
    {
        await RunAsync(Options with { QuarantineAge = TimeSpan.FromHours(1) }, async () =>
        {
            Feed.Send("DATA", "?");
            await Until.TrueAsync(() => Ledger.Quarantined == 1, () => Ledger.ToString());
            Time.Advance(TimeSpan.FromHours(2));
            await Until.TrueAsync(() => Ledger.DroppedFromQuarantine == 1, () => Ledger.ToString());
        });
        Assert.Contains("dropped from the quarantine 1", Ledger.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Own_results_are_no_readings()
    {
        await RunAsync(new AggregatorOptions("#", "STATS"), async () =>
        {
            Feed.Send("STATS/DATA", "1");
            Feed.Send("STATS", "1");
            Feed.Send("STATSX", "3");
            Assert.Equal("""STATS/STATSX {"avg_1min": 3, "avg_5min": 3, "avg_30min": 3}""", await Feed.ResultAsync());
        });
        Assert.Equal((1, 1, 2), (Ledger.Received, Ledger.Acknowledged, Ledger.OwnResults));
    }

    [Fact]
    public async Task Windows_are_rebuilt_from_the_file_at_start()
    {
        await RunAsync(Options, async () =>
        {
            Send(10, Start - 200);
            Send(20, Start);
            await Feed.ResultAsync();
        });
        await RunAsync(Options with { Windows = WindowSpan.ParseList("5min,201s") }, async () =>
        {
            Send(30, Start);
            Assert.Equal("""STATS {"avg_5min": 20, "avg_201s": 20}""", await Feed.ResultAsync());
        });
    }

    [Fact]
    public async Task Readings_leave_the_file_and_the_windows_as_the_clock_moves_without_new_ones()
    {
        await RunAsync(Options, async () =>
        {
            Send(10, Start - 2000);
            Send(20, Start);
            await Feed.ResultAsync();
            Time.Advance(TimeSpan.FromSeconds(101));
            await Until.TrueAsync(() => ReadingsFile.Query(File, "SELECT number FROM messages").SequenceEqual(["20"]), () => "the old reading is still there");
        });
    }

    [Fact]
    public async Task With_a_tick_means_move_with_the_clock()
    {
        await RunAsync(Options with { Tick = TimeSpan.FromSeconds(1) }, async () =>
        {
            Send(10, Start - 58);
            Send(20, Start - 10);
            string result;
            while (!(result = await Feed.ResultAsync()).Contains("\"avg_1min\": 15", StringComparison.Ordinal))
            {
            }
            Time.Advance(TimeSpan.FromSeconds(3));
            Assert.Equal("""STATS {"avg_1min": 20, "avg_5min": 15, "avg_30min": 15}""", await Feed.ResultAsync());
            Time.Advance(TimeSpan.FromSeconds(50));
            Assert.Equal("""STATS {"avg_1min": null, "avg_5min": 15, "avg_30min": 15}""", await Feed.ResultAsync());
            Time.Advance(TimeSpan.FromSeconds(1));
            Assert.False(Feed.TryResult(out _));
        });
    }

    [Fact]
    public async Task Statistics_that_were_asked_for_follow_the_mean_and_outlive_a_restart()
    {
        var options = Options with { Windows = WindowSpan.ParseList("1min"), Statistics = Statistic.ParseList("mean,count,min,max,last,stddevp,p50") };
        await RunAsync(options, async () =>
        {
            Send(4, Start - 20);
            Send(8, Start - 10);
            string result;
            while (!(result = await Feed.ResultAsync()).Contains("\"count_1min\": 2", StringComparison.Ordinal))
            {
            }
            Assert.Equal("""STATS {"avg_1min": 6, "count_1min": 2, "min_1min": 4, "max_1min": 8, "last_1min": 8, "stddevp_1min": 2, "p50_1min": 4}""", result);
        });
        await RunAsync(options, async () =>
        {
            Send(6, Start - 15);
            Assert.Equal(
                """STATS {"avg_1min": 6, "count_1min": 3, "min_1min": 4, "max_1min": 8, "last_1min": 8, "stddevp_1min": 1.632993161855452, "p50_1min": 6}""",
                await Feed.ResultAsync());
        });
    }

    [Fact]
    public async Task The_value_that_held_before_the_window_counts_in_twa_also_after_a_restart_and_in_a_query()
    {
        var options = Options with { Windows = WindowSpan.ParseList("1min"), Statistics = Statistic.ParseList("mean,twa") };
        await RunAsync(options, async () =>
        {
            Send(10, Start - 95);
            Send(20, Start - 30);
            await ResultAsync("STATS {\"avg_1min\": 20, \"twa_1min\": 10}");
            Send(40, Start);
            await ResultAsync("STATS {\"avg_1min\": 30, \"twa_1min\": 15}");
        });
        await RunAsync(options, async () =>
        {
            Send(40, Start);
            await ResultAsync("STATS {\"avg_1min\": 33.333333333333336, \"twa_1min\": 15}");
            Send(30, Start - 75);
            await ResultAsync("STATS {\"avg_1min\": 33.333333333333336, \"twa_1min\": 25}");
        });
        using var reader = Store.OpenForReading(File, "DATA", stop: TestContext.Current.CancellationToken);
        var (_, readings, end) = Assert.Single(new AsOf(reader, options, long.MaxValue, byClock: false).Series());
        Assert.Equal([100 / 3.0, 25], new ResultWriter(options.Windows, options.Statistics).Values(readings, end).ToArray());

        async Task ResultAsync(string expected)
        {
            while (await Feed.ResultAsync() != expected)
            {
            }
        }
    }

    [Fact]
    public async Task A_clock_that_steps_back_does_not_bring_back_what_left_the_file()
    {
        await RunAsync(Options, async () =>
        {
            Send(10, Start - 1700);
            Send(20, Start);
            await Feed.ResultAsync();
            Time.Advance(TimeSpan.FromSeconds(500));
            await Until.TrueAsync(() => ReadingsFile.Query(File, "SELECT number FROM messages").SequenceEqual(["20"]), () => "the old reading is still there");
            Time.AdjustTime(DateTimeOffset.FromUnixTimeSeconds(Start));
            Send(40, Start);
            string result;
            while (!(result = await Feed.ResultAsync()).Contains("\"avg_1min\": 30", StringComparison.Ordinal))
            {
            }
            Assert.Equal("""STATS {"avg_1min": 30, "avg_5min": 30, "avg_30min": 30}""", result);
        });
    }

    [Fact]
    public async Task Series_of_an_earlier_topic_are_kept_but_not_published()
    {
        await RunAsync(new AggregatorOptions("OLD", "STATS"), async () =>
        {
            Feed.Send("OLD", "1");
            await Feed.ResultAsync();
        });
        await RunAsync(Options with { Tick = TimeSpan.FromSeconds(1) }, async () =>
        {
            Feed.Send("OLD", "2");
            Send(5, Start);
            Assert.Equal("""STATS {"avg_1min": 5, "avg_5min": 5, "avg_30min": 5}""", await Feed.ResultAsync());
            Time.Advance(TimeSpan.FromSeconds(61));
            Assert.Equal("""STATS {"avg_1min": null, "avg_5min": 5, "avg_30min": 5}""", await Feed.ResultAsync());
            Assert.False(Feed.TryResult(out _));
        });
    }

    [Fact]
    public async Task Each_concrete_topic_is_a_series_of_its_own()
    {
        await RunAsync(new AggregatorOptions("plant/+/t", "STATS"), async () =>
        {
            Feed.Send("plant/a/t", "1");
            Assert.Equal("""STATS/plant/a/t {"avg_1min": 1, "avg_5min": 1, "avg_30min": 1}""", await Feed.ResultAsync());
            Feed.Send("plant/b/t", "5");
            Assert.Equal("""STATS/plant/b/t {"avg_1min": 5, "avg_5min": 5, "avg_30min": 5}""", await Feed.ResultAsync());
        });
    }

    private void CheckAgainstRows(string result, string where)
    {
        var rows = ReadingsFile.Readings(File);
        var now = rows.Max(r => r.Time);
        var means = JsonDocument.Parse(result["STATS ".Length..]).RootElement;
        foreach (var (name, window) in new[] { ("avg_1min", 60_000), ("avg_5min", 300_000), ("avg_30min", 1_800_000) })
        {
            var expected = ReadingsFile.ExactMean(rows.Where(r => r.Time >= now - window && r.Time <= now).Select(r => r.Value));
            var found = means.GetProperty(name).GetDouble();
            Assert.True(Math.Abs(found - expected!.Value) <= Math.BitIncrement(Math.Abs(found)) - Math.Abs(found), $"{where}: {name} is {found:R}, expected {expected:R}");
        }
    }
}
