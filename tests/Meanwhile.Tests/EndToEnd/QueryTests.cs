using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;
using Meanwhile.Windows;
using Microsoft.Extensions.Logging.Abstractions;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The past as a user asks it, beside an aggregator that is at work on the same file.</summary>
public sealed class QueryTests : ProgramTest
{
    private const string Statistics = "count,min,max,first,last,p95";
    private static readonly AggregatorOptions Options = new("plant/+", "STATS") { Statistics = Statistic.ParseList("mean," + Statistics) };
    private readonly long _start = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 180_000;

    [Fact]
    public async Task The_answer_is_the_one_that_was_published_then_to_the_byte()
    {
        var random = new Random(4);
        var published = new List<(string Topic, long Time, string Result)>();
        using var store = SqliteStore.Open(Database, new StoreOptions("test", Options.Filter));
        var feed = new ManualFeed(TimeProvider.System);
        var running = new Aggregator(feed, store, Options, new PipelineStatus(Options, TimeProvider.System), NullLogger.Instance, TimeProvider.System).RunAsync(TestContext.Current.CancellationToken);
        for (var time = _start; published.Count < 200; time += random.Next(1500))
        {
            var topic = random.Next(3) == 0 ? "plant/\u00fc \"b\"" : "plant/a";
            feed.Send(topic, $$"""{"number": {{random.NextDouble() * 100:R}}, "epochtime": {{time / 1000m}}}""");
            published.Add((topic, time, (await feed.ResultAsync()).Split(' ', topic.Contains(' ') ? 3 : 2)[^1]));
        }

        foreach (var at in new[] { published[^1].Time, published[150].Time, published[150].Time + 1, published[20].Time, published[1].Time })
        {
            var then = published.Where(p => p.Time <= at).GroupBy(p => p.Topic).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.Last());
            var expected = string.Concat(then.Select(p => $"{{\"topic\": {Quoted(p.Topic)}, \"epochtime\": {p.Time / 1000m}, \"result\": {p.Result}}}\n"));
            Assert.Equal(expected, await QueryAsync("--at", $"{at / 1000m}", "--stats", Statistics));
        }
        Assert.Equal("", await QueryAsync("--at", $"{(published[0].Time - 1) / 1000m}"));
        feed.End();
        await running;
    }

    [Fact]
    public async Task Late_readings_count_and_the_readings_are_those_that_the_answer_is_made_of()
    {
        Commit(new("plant/a", _start, 1), new("plant/a", _start + 60_000, 5), new("plant/b", _start + 70_000, 7), new("plant/a", _start + 60_001, 0.1), new("plant/a", _start + 30_000, 4));
        var at = DateTimeOffset.FromUnixTimeMilliseconds(_start + 60_000).ToString("O");
        Assert.Equal(
            $"topic,epochtime,avg_1min,count_1min\nplant/a,{(_start + 60_000) / 1000m},{10 / 3.0:R},3\n", await QueryAsync("--at", at, "--windows", "1min", "--stats", "count", "--format", "csv"));
        Assert.Equal(
            $"topic,number,epochtime\nplant/a,1,{_start / 1000m}\nplant/a,4,{(_start + 30_000) / 1000m}\nplant/a,5,{(_start + 60_000) / 1000m}\n",
            await QueryAsync("--at", at, "--windows", "1min", "--readings", "--format", "csv"));
        Assert.Equal(
            $"{{\"topic\": \"plant/a\", \"number\": 4, \"epochtime\": {(_start + 30_000) / 1000m}}}\n",
            await QueryAsync("--at", $"{(_start + 31_000) / 1000m}", "--windows", "10s", "--readings"));
        // By the clock, windows end at the time itself: the reading of 60 s before has left.
        Assert.EndsWith("\"result\": {\"avg_59s\": 4.5}}\n", await QueryAsync("--at", $"{(_start + 60_000) / 1000m}", "--windows", "59s", "--by-clock"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_the_seeds_program_is_read_as_it_is()
    {
        Directory.CreateDirectory(Folder["tmp"]);
        ReadingsFile.Query(Database, $"CREATE TABLE messages (number INTEGER, epochtime INTEGER); INSERT INTO messages VALUES (2, {_start / 1000 + 9}), (1, {_start / 1000}), ('x', {_start / 1000}), (3, NULL)");
        Assert.Equal($"topic,number,epochtime\nold,1,{_start / 1000}\nold,2,{_start / 1000 + 9}\n", await OutputAsync("query", "--topic", "old", "--readings", "--format", "csv"));
        Assert.Equal(["number,epochtime"], ReadingsFile.Query(Database, "SELECT GROUP_CONCAT(name) FROM PRAGMA_TABLE_INFO('messages')"));
    }

    [Fact]
    public async Task Rows_that_the_seeds_program_adds_are_read_where_their_times_belong()
    {
        Commit(new Reading("plant/a", _start, 1), new Reading("plant/a", _start + 2000, 3));
        ReadingsFile.Query(Database, $"INSERT INTO messages (number, epochtime) VALUES (9, {(_start + 3000) / 1000m}), (2, {(_start + 1000) / 1000m})");
        var lines = (await OutputAsync("query", "--topic", "plant/a", "--readings", "--format", "csv")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1);
        Assert.Equal(["1", "2", "3", "9"], lines.Select(l => l.Split(',')[1]));
    }

    [Fact]
    public async Task An_answer_that_reaches_back_beyond_what_is_kept_says_so()
    {
        Commit(new Reading("plant/a", _start - 3_600_000, 1));
        await QueryAsync("--windows", "1min");
        Assert.Contains("before the oldest reading", (await RunAsync("query", "--topic", "plant/+")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_answer_says_where_readings_are()
    {
        Commit(new Reading("plant/a", _start, 1));
        var (code, output, error) = await RunAsync("query", "--topic", "other/+");
        Assert.Equal((0, ""), (code, output));
        Assert.Contains("no reading of other/+ until then, but some of plant/a", error, StringComparison.Ordinal);
        Assert.DoesNotContain("no reading of", (await RunAsync("query", "--topic", "plant/+")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_not_made()
    {
        var query = await RunAsync("query");
        Assert.Equal((1, "meanwhile: tmp/test.db does not exist: expected the file of an aggregator (--db)\n"), (query.Code, query.Error));
        Assert.False(Directory.Exists(Folder["tmp"]));

        Commit();
        Assert.Equal("", await QueryAsync());
        await File.WriteAllTextAsync(Folder["notes.txt"], new string('x', 5000), TestContext.Current.CancellationToken);
        Assert.Contains("notes.txt is no SQLite database", (await RunAsync("query", "--db", "notes.txt")).Error, StringComparison.Ordinal);
    }

    private static string Quoted(string topic) => $"\"{topic.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private void Commit(params Reading[] readings)
    {
        using var store = SqliteStore.Open(Database, new StoreOptions("test", Options.Filter));
        store.Commit(StoreExtensions.Batch(readings));
    }

    private Task<string> QueryAsync(params string[] arguments) => OutputAsync(["query", "--topic", Options.Filter, .. arguments]);

    private async Task<string> OutputAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var program = Meanwhile(arguments);
        var code = await program.ExitAsync();
        return (code, program.Output, program.Error);
    }
}
