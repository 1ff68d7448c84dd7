using System.Text.Json;
using Meanwhile.Feeds;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;
using Meanwhile.Windows;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Pipeline;

public sealed class AggregatorTests : IDisposable
{
    private const long Start = 1_700_000_000;
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(Start));
    private readonly AggregatorOptions _options = new("DATA", "STATS");
    private ManualFeed _feed = null!;
    private Ledger _ledger = new();

    private string File => _folder["test.db"];

    [Fact]
    public async Task Commits_then_acknowledges_then_publishes()
    {
        await RunAsync(_options, async () =>
        {
            _feed.Acknowledging = () => Assert.Equal(["1"], ReadingsFile.Query(File, "SELECT COUNT(*) FROM messages"));
            Send(46, Start);
            Assert.Equal("""STATS {"avg_1min": 46, "avg_5min": 46, "avg_30min": 46}""", await _feed.ResultAsync());
        });
        Assert.Equal(["acknowledged 1", "published"], _feed.Events.Take(2));
    }

    [Fact]
    public async Task Means_equal_recalculation_from_the_files_rows_after_each_of_ten_thousand_readings()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var (published, expired) = (0, 0);
        await RunAsync(_options, async () =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                // Repeated, late and out-of-retention times, some ahead of the clock, while the clock runs on.
                if (random.Next(4) == 0)
                    _time.Advance(TimeSpan.FromMilliseconds(random.Next(20_000)));
                var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
                var time = now - (random.Next(3) == 0 ? random.Next(2_700_000) : random.Next(-200_000, 100_000));
                time -= random.Next(2) == 0 ? time % 1000 : 0;
                var value = random.Next(5) == 0 ? (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 6)) : random.Next(1, 101);
                _feed.Send("DATA", $$"""{"number": {{value:R}}, "epochtime": {{time / 1000m}}}""");
                if (time < now - 2_100_000)
                {
                    expired++;
                    continue;
                }
                published++;
                CheckAgainstRows(await _feed.ResultAsync(), $"seed {seed}, reading {i}");
            }
        });
        Assert.Equal((published, expired), ((int)_ledger.Committed, (int)_ledger.Expired));
        Assert.Equal(0, _ledger.OnTheWay);
    }

    [Fact]
    public async Task What_is_no_reading_goes_to_the_quarantine_and_the_flow_goes_on()
    {
        var rubbish = new byte[1 << 20];
        new Random(1).NextBytes(rubbish);
        await RunAsync(new AggregatorOptions("#", "STATS"), async () =>
        {
            _feed.Send("DATA", "not JSON");
            _feed.Send("DATA", """{"epochtime": 1}""");
            _feed.Send("DATA", """{"number": "NaN", "epochtime": 1}""");
            _feed.Send("DATA", $$"""{"number": 1, "epochtime": {{Start + 301}}}""");
            _feed.Send("DATA", rubbish);
            _feed.Send("DATA", []);
            _feed.Send("odd/\u0001 \"quoted\" '; DROP TABLE messages; -- \u00e9\ud83d\ude00", """{"number": 2}""");
            _feed.Send(new string('x', 65_530), "5");
            _feed.Send("DATA", $$"""{"number": 7, "epochtime": {{Start + 300}}}""");
            Assert.StartsWith("STATS/DATA ", await _feed.ResultAsync(), StringComparison.Ordinal);
        });

        Assert.Equal(
            [
                "DATA|8|neither a JSON object nor a finite number", "DATA|16|no number at /number", "DATA|33|/number is not a finite number",
                "DATA|38|its time is more than 300 s ahead of the clock (--max-ahead)", "DATA|1048576|larger than 262144 bytes",
                "DATA|0|neither a JSON object nor a finite number",
                "odd/\u0001 \"quoted\" '; DROP TABLE messages; -- \u00e9\ud83d\ude00|13|no time at /epochtime (--time names another place, --time arrival does without)",
                new string('x', 65_530) + "|1|its topic leaves no room for the topic of its results",
            ],
            ReadingsFile.Query(File, "SELECT topic, LENGTH(payload), reason FROM quarantine ORDER BY id"));
        Assert.Equal((9, 8, 1, 9), (_ledger.Received, _ledger.Quarantined, _ledger.Committed, _ledger.Acknowledged));
    }

    [Fact]
    public async Task Redeliveries_and_session_changes_are_acknowledged_and_balance()
    {
        await RunAsync(_options, async () =>
        {
            _feed.Send(new Delivery { Kind = DeliveryKind.SessionChange, Subscription = "DATA" });
            _feed.Send(new Delivery { Kind = DeliveryKind.Message, Topic = "DATA", Payload = "1"u8.ToArray(), IdChange = new(IdChangeKind.Received, 7) });
            _feed.Send(new Delivery { Kind = DeliveryKind.Redelivery, Topic = "DATA", Payload = "1"u8.ToArray(), Dup = true });
            await _feed.ResultAsync();
        });

        Assert.Equal((2, 1, 1, 1), (_ledger.Received, _ledger.Committed, _ledger.Duplicates, _ledger.ReceivedAgain));
        using var store = SqliteStore.Open(File, new StoreOptions("test", "DATA"));
        Assert.Equal([7], store.ReceivedIds());
        Assert.Equal("DATA", store.ReadSession().Subscription);
    }

    [Fact]
    public async Task A_reading_with_an_identity_counts_once_whatever_its_qos_and_whoever_runs()
    {
        var options = _options with { Parser = new ReadingParser(JsonPointer.Parse("/number"), JsonPointer.Parse("/epochtime"), JsonPointer.Parse("/id")) };
        await RunAsync(options, async () =>
        {
            SendWithIdentity(1, "\"x\"");
            SendWithIdentity(2, "7");
            SendWithIdentity(1, "\"x\"");
            SendWithIdentity(3, "\"y\"");
            await ResultWithMeanAsync(2);
        });
        Assert.Equal((4, 3, 1), (_ledger.Received, _ledger.Committed, _ledger.Duplicates));
        await RunAsync(options, async () =>
        {
            SendWithIdentity(2, "7");
            SendWithIdentity(6, "\"z\"");
            await ResultWithMeanAsync(3);
        });
        Assert.Equal((2, 1, 1, 0), (_ledger.Received, _ledger.Committed, _ledger.Duplicates, _ledger.OnTheWay));

        void SendWithIdentity(int number, string identity) => _feed.Send("DATA", $$"""{"id": {{identity}}, "number": {{number}}, "epochtime": {{Start}}}""");

        async Task ResultWithMeanAsync(int mean)
        {
            while (!(await _feed.ResultAsync()).EndsWith($"\"avg_30min\": {mean}}}", StringComparison.Ordinal))
            {
            }
        }
    }

    [Fact]
    public async Task A_bare_number_belongs_to_the_moment_of_its_arrival_however_long_the_store_takes()
    {
        var busy = new TaskCompletionSource();
        await RunAsync(_options, async () =>
        {
            _feed.Acknowledging = busy.Task.Wait; // The data path is held up after the first commit.
            _feed.Send("DATA", "1");
            await Until.TrueAsync(() => _ledger.Committed == 1, () => _ledger.ToString());
            _time.Advance(TimeSpan.FromSeconds(10));
            _feed.Send("DATA", "2");
            _time.Advance(TimeSpan.FromSeconds(90));
            busy.SetResult();
            Assert.EndsWith("\"avg_30min\": 1}", await _feed.ResultAsync(), StringComparison.Ordinal);
            Assert.EndsWith("\"avg_30min\": 1.5}", await _feed.ResultAsync(), StringComparison.Ordinal);
        });
        Assert.Equal([$"{Start}", $"{Start + 10}"], ReadingsFile.Query(File, "SELECT epochtime FROM messages"));
    }

    [Fact]
    public async Task What_the_quarantine_has_no_room_for_is_counted()
    {
        await RunAsync(_options with { QuarantineAge = TimeSpan.FromHours(1) }, async () =>
        {
            _feed.Send("DATA", "?");
            await Until.TrueAsync(() => _ledger.Quarantined == 1, () => _ledger.ToString());
            _time.Advance(TimeSpan.FromHours(2));
            await Until.TrueAsync(() => _ledger.DroppedFromQuarantine == 1, () => _ledger.ToString());
        });
        Assert.Contains("dropped from the quarantine 1", _ledger.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Own_results_are_no_readings()
    {
        await RunAsync(new AggregatorOptions("#", "STATS"), async () =>
        {
            _feed.Send("STATS/DATA", "1");
            _feed.Send("STATS", "1");
            _feed.Send("STATSX", "3");
            Assert.Equal("""STATS/STATSX {"avg_1min": 3, "avg_5min": 3, "avg_30min": 3}""", await _feed.ResultAsync());
        });
        Assert.Equal((1, 1, 2), (_ledger.Received, _ledger.Acknowledged, _ledger.OwnResults));
    }

    [Fact]
    public async Task Windows_are_rebuilt_from_the_file_at_start()
    {
        await RunAsync(_options, async () =>
        {
            Send(10, Start - 200);
            Send(20, Start);
            await _feed.ResultAsync();
        });
        await RunAsync(_options with { Windows = WindowSpan.ParseList("5min,201s") }, async () =>
        {
            Send(30, Start);
            Assert.Equal("""STATS {"avg_5min": 20, "avg_201s": 20}""", await _feed.ResultAsync());
        });
    }

    [Fact]
    public async Task Readings_leave_the_file_and_the_windows_as_the_clock_moves_without_new_ones()
    {
        await RunAsync(_options, async () =>
        {
            Send(10, Start - 2000);
            Send(20, Start);
            await _feed.ResultAsync();
            _time.Advance(TimeSpan.FromSeconds(101));
            await Until.TrueAsync(() => ReadingsFile.Query(File, "SELECT number FROM messages").SequenceEqual(["20"]), () => "the old reading is still there");
        });
    }

    [Fact]
    public async Task With_a_tick_means_move_with_the_clock()
    {
        await RunAsync(_options with { Tick = TimeSpan.FromSeconds(1) }, async () =>
        {
            Send(10, Start - 58);
            Send(20, Start - 10);
            string result;
            while (!(result = await _feed.ResultAsync()).Contains("\"avg_1min\": 15", StringComparison.Ordinal))
            {
            }
            _time.Advance(TimeSpan.FromSeconds(3));
            Assert.Equal("""STATS {"avg_1min": 20, "avg_5min": 15, "avg_30min": 15}""", await _feed.ResultAsync());
            _time.Advance(TimeSpan.FromSeconds(50));
            Assert.Equal("""STATS {"avg_1min": null, "avg_5min": 15, "avg_30min": 15}""", await _feed.ResultAsync());
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.False(_feed.TryResult(out _));
        });
    }

    [Fact]
    public async Task Statistics_that_were_asked_for_follow_the_mean_and_outlive_a_restart()
    {
        var options = _options with { Windows = WindowSpan.ParseList("1min"), Statistics = Statistic.ParseList("mean,count,min,max,last,stddevp,p50") };
        await RunAsync(options, async () =>
        {
            Send(4, Start - 20);
            Send(8, Start - 10);
            string result;
            while (!(result = await _feed.ResultAsync()).Contains("\"count_1min\": 2", StringComparison.Ordinal))
            {
            }
            Assert.Equal("""STATS {"avg_1min": 6, "count_1min": 2, "min_1min": 4, "max_1min": 8, "last_1min": 8, "stddevp_1min": 2, "p50_1min": 4}""", result);
        });
        await RunAsync(options, async () =>
        {
            Send(6, Start - 15);
            Assert.Equal(
                """STATS {"avg_1min": 6, "count_1min": 3, "min_1min": 4, "max_1min": 8, "last_1min": 8, "stddevp_1min": 1.632993161855452, "p50_1min": 6}""",
                await _feed.ResultAsync());
        });
    }

    [Fact]
    public async Task A_clock_that_steps_back_does_not_bring_back_what_left_the_file()
    {
        await RunAsync(_options, async () =>
        {
            Send(10, Start - 1700);
            Send(20, Start);
            await _feed.ResultAsync();
            _time.Advance(TimeSpan.FromSeconds(500));
            await Until.TrueAsync(() => ReadingsFile.Query(File, "SELECT number FROM messages").SequenceEqual(["20"]), () => "the old reading is still there");
            _time.AdjustTime(DateTimeOffset.FromUnixTimeSeconds(Start));
            Send(40, Start);
            string result;
            while (!(result = await _feed.ResultAsync()).Contains("\"avg_1min\": 30", StringComparison.Ordinal))
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
            _feed.Send("OLD", "1");
            await _feed.ResultAsync();
        });
        await RunAsync(_options with { Tick = TimeSpan.FromSeconds(1) }, async () =>
        {
            _feed.Send("OLD", "2");
            Send(5, Start);
            Assert.Equal("""STATS {"avg_1min": 5, "avg_5min": 5, "avg_30min": 5}""", await _feed.ResultAsync());
            _time.Advance(TimeSpan.FromSeconds(61));
            Assert.Equal("""STATS {"avg_1min": null, "avg_5min": 5, "avg_30min": 5}""", await _feed.ResultAsync());
            Assert.False(_feed.TryResult(out _));
        });
    }

    [Fact]
    public async Task Each_concrete_topic_is_a_series_of_its_own()
    {
        await RunAsync(new AggregatorOptions("plant/+/t", "STATS"), async () =>
        {
            _feed.Send("plant/a/t", "1");
            Assert.Equal("""STATS/plant/a/t {"avg_1min": 1, "avg_5min": 1, "avg_30min": 1}""", await _feed.ResultAsync());
            _feed.Send("plant/b/t", "5");
            Assert.Equal("""STATS/plant/b/t {"avg_1min": 5, "avg_5min": 5, "avg_30min": 5}""", await _feed.ResultAsync());
        });
    }

    public void Dispose() => _folder.Dispose();

    private async Task RunAsync(AggregatorOptions options, Func<Task> test)
    {
        (_feed, _ledger) = (new ManualFeed(_time), new Ledger());
        using var store = SqliteStore.Open(File, new StoreOptions("test", "DATA"));
        var aggregator = new Aggregator(_feed, store, options, new Insight(options, _time) { Ledger = _ledger }, NullLogger.Instance, _time);
        var running = Task.Run(() => aggregator.RunAsync(CancellationToken.None));
        await Task.WhenAny(test(), running).Unwrap();
        _feed.End();
        await running;
    }

    private void Send(double value, long seconds) => _feed.Send("DATA", $$"""{"number": {{value}}, "epochtime": "{{seconds}}"}""");

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
