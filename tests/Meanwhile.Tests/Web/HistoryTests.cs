using System.Text.Json;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Web;

/// <summary>The history of a series, for a chart.</summary>
public sealed class HistoryTests : HttpTest
{
    private const long Start = 1_800_000_000_000;

    [Fact]
    public void Results_are_those_of_a_plain_recalculation_as_of_their_times()
    {
        var options = new AggregatorOptions("#", "STATS");
        var random = new Random(2);
        var readings = Enumerable.Range(0, 3000).Select(_ => new Reading("a", Start - random.Next(2_100_000), random.NextDouble() * 1e6)).ToList();
        var history = Read(options, readings, Start - 2_100_000, Start, 3000);

        Assert.Equal(readings.GroupBy(r => r.Time / 3000).Select(span => span.Min(r => r.Time)).Append(readings.Max(r => r.Time)).Distinct().Order(), history.Results.Select(r => r.End));
        foreach (var (end, values) in history.Results)
        {
            foreach (var (window, value) in options.Windows.Zip(values))
            {
                var expected = ReadingsFile.ExactMean(readings.Where(r => r.Time >= end - window.Milliseconds && r.Time <= end).Select(r => r.Value))!.Value;
                Assert.True(Math.Abs(value!.Value - expected) <= Math.BitIncrement(expected) - expected, $"{value:R} is not {expected:R}");
            }
        }
    }

    [Fact]
    public void With_a_tick_results_go_on_while_readings_do_not()
    {
        var options = new AggregatorOptions("#", "STATS") { Tick = TimeSpan.FromSeconds(1) };
        var history = Read(options, [new Reading("a", Start + 1000, 5), new Reading("a", Start + 200_000, 7)], Start, Start + 290_000, 60_000);
        Assert.Equal([59_999, 119_999, 179_999, 239_999, 290_000], history.Results.Select(r => r.End - Start));
        Assert.Equal([5.0, null, null, 7, null], history.Results.Select(r => r.Values[0]));
        Assert.Equal([5.0, 5, 5, 6, 6], history.Results.Select(r => r.Values[1]));
    }

    [Fact]
    public void Thinned_readings_keep_the_first_the_lowest_the_highest_and_the_last_of_each_span()
    {
        var thinned = new DownsampledReadings(1000);
        foreach (var (time, value) in new[] { (5100, 3.0), (5200, 9), (5300, 4), (5400, -2), (5500, 5), (5050, 1), (5500, 6), (4000, 8), (4000, 8) })
            thinned.Add(time, value);
        Assert.Equal([(4000, 8), (5050, 1), (5200, 9), (5400, -2), (5500, 6)], thinned.Read());
        Assert.Equal(9, thinned.Count);
        thinned.Clear();
        Assert.Empty(thinned.Read());
    }

    [Fact]
    public async Task The_history_over_http_ends_with_the_statistics_of_now_and_says_from_when_on_all_is_kept()
    {
        var (program, http, mqtt) = await ServeAsync("--topic", "plant/#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var random = new Random(3);
        for (var i = 0; i < 60; i++)
            await sender.SendAsync(i % 3 == 0 ? "plant/b" : "plant/a", $$"""{"number": {{random.NextDouble():R}}, "epochtime": {{now - random.Next(1700)}}}""");

        var history = await JsonAsync(http, "/api/history?topic=plant/a&points=2100");
        var last = (await JsonAsync(http, "/api/statistics?topic=plant/a")).GetProperty("statistics")[0];
        Assert.Equal(40, history.GetProperty("count").GetInt32());
        Assert.Equal(
            ReadingsFile.Query(Database, "SELECT DISTINCT number, epochtime FROM messages JOIN series ON series.id = messages.series WHERE topic = 'plant/a' ORDER BY epochtime").Count,
            history.GetProperty("readings").GetProperty("number").GetArrayLength());
        Assert.Equal(last.GetProperty("epochtime").GetDecimal(), Last(history, "epochtime").GetDecimal());
        foreach (var mean in last.GetProperty("result").EnumerateObject())
            Assert.Equal(mean.Value.GetRawText(), Last(history, mean.Name).GetRawText());
        Assert.InRange(history.GetProperty("kept_from").GetDecimal(), now - 2100 - 120, now - 2100 + 1); // As of the start: nothing has been deleted yet.
        Assert.Equal((404, "there is no series of this topic: /api/series lists those that there are"), await ProblemAsync(http, "/api/history?topic=nowhere"));
        Assert.Equal(404, (await ProblemAsync(http, "/api/history?topic=plant/%2B")).Status);
        Assert.Equal(0, await program.TerminateAsync());

        static JsonElement Last(JsonElement history, string column) => history.GetProperty("results").GetProperty(column).EnumerateArray().Last();
    }

    [Fact]
    public async Task Events_are_gathered_and_tell_the_readings_of_a_series()
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "plant/#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        using var events = new StreamReader(await Client.GetStreamAsync(new Uri(http, "/api/events?readings=plant/a&every=50ms"), TestContext.Current.CancellationToken));
        await events.ReadLineAsync(TestContext.Current.CancellationToken);
        await sender.SendAsync("plant/b", "1");
        await sender.SendAsync("plant/a", "2");
        await sender.SendAsync("plant/a", "3");

        List<double> readings = [];
        List<long> numbers = [];
        var isLast = false;
        while (readings.Count < 2 || !isLast)
        {
            var name = await events.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.True(name is not null, $"the stream has ended after {readings.Count} readings");
            if (name.StartsWith("id: ", StringComparison.Ordinal))
                numbers.Add(long.Parse(name["id: ".Length..]));
            if (!name.StartsWith("event: ", StringComparison.Ordinal))
                continue;
            var data = JsonElement.Parse((await events.ReadLineAsync(TestContext.Current.CancellationToken))!["data: ".Length..]);
            if (name == "event: readings")
                readings.AddRange(data.GetProperty("readings").GetProperty("number").EnumerateArray().Select(number => number.GetDouble()));
            else
                isLast = data.GetProperty("topic").GetString() == "plant/a" && data.GetProperty("result").GetProperty("avg_1min").GetDouble() is 2.5;
        }
        Assert.Equal([2, 3], readings);
        Assert.Equal(numbers.Distinct().Order(), numbers);
        Assert.NotEmpty(numbers);
        Assert.Equal((400, "every cannot be understood: expected a span of time such as 500ms, at most 10s"), await ProblemAsync(http, "/api/events?every=11s"));
        Assert.Equal(400, (await ProblemAsync(http, "/api/history")).Status);
        Assert.Equal(400, (await ProblemAsync(http, "/api/quarantine?order=none")).Status);
    }

    [Fact]
    public async Task The_quarantine_is_told_from_either_end()
    {
        var (_, http, mqtt) = await ServeAsync();
        using var sender = await MqttSender.ConnectAsync(mqtt);
        foreach (var payload in new[] { "x", "xx", "xxx" })
            await sender.SendAsync("DATA", payload);
        Assert.Equal((1, 2), await PageAsync("order=oldest&limit=2"));
        Assert.Equal((3, 2), await PageAsync("order=newest&limit=2"));
        Assert.Equal((1, 1), await PageAsync("order=newest&limit=2&after=2"));
        Assert.Equal((3, 1), await PageAsync("after=2"));

        async Task<(int First, int Count)> PageAsync(string query)
        {
            var messages = (await JsonAsync(http, "/api/quarantine?" + query)).GetProperty("messages");
            return (messages[0].GetProperty("bytes").GetInt32(), messages.GetArrayLength());
        }
    }

    private static SeriesHistory Read(AggregatorOptions options, List<Reading> readings, long from, long now, long span)
    {
        var windows = new Results(options);
        windows.Add(readings, now, tickIsDue: false);
        return new SeriesHistory(windows, options, "a", from, now, span);
    }
}
