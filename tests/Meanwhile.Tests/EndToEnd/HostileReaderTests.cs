using System.Net;
using System.Text;
using System.Text.Json;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Who reads over HTTP, or does not read, takes neither memory nor time from those who publish and from those who watch.</summary>
public sealed class HostileReaderTests : HttpTest
{
    private const int Readings = 400;
    private const long MostMore = 100 << 20;

    // Each of these was written as six bytes, and the answer built whole.
    private static readonly string LongTopic = new('<', 60_000);

    [Fact]
    public async Task One_get_of_long_topics_takes_little_memory_and_its_pages_are_the_whole()
    {
        var (program, http, before) = await FillAsync();
        var (found, next, pages) = (new List<double>(), "", 0);
        for (var query = "limit=100000"; next is not null; query = "limit=100000&after=" + next, pages++)
        {
            using var answer = await GetAsync(http, "/api/readings?" + query);
            Assert.InRange(answer.Content.Headers.ContentLength!.Value, 1, 5 << 20);
            var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            found.AddRange(page.GetProperty("readings").EnumerateArray().Select(reading => reading.GetProperty("number").GetDouble()));
            Assert.Equal(LongTopic, page.GetProperty("readings")[0].GetProperty("topic").GetString());
            next = page.GetProperty("next").GetString();
            Assert.Equal(next is null, page.GetProperty("complete").GetBoolean());
        }
        Assert.Equal(Enumerable.Range(0, Readings).Select(i => (double)i), found);
        Assert.InRange(pages, 5, 10);
        Assert.True(Resident(program) - before < MostMore, $"{before} → {Resident(program)}");
    }

    [Fact]
    public async Task Csv_comes_in_pages_of_the_same_size()
    {
        var (program, http, before) = await FillAsync();
        var (found, next) = (new List<string>(), "");
        for (var query = ""; next is not null; query = "&after=" + next)
        {
            using var answer = await GetAsync(http, "/api/readings?limit=100000&format=csv" + query);
            Assert.InRange(answer.Content.Headers.ContentLength!.Value, 1, 5 << 20);
            var lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            found.AddRange(lines.Skip(1).Select(line => line.Split(',')[1]));
            next = answer.Headers.TryGetValues("Meanwhile-Next", out var values) ? values.Single() : null;
            Assert.Equal(next is null ? "true" : "false", answer.Headers.GetValues("Meanwhile-Complete").Single());
        }
        Assert.Equal(Enumerable.Range(0, Readings).Select(i => $"{i}"), found);
        Assert.True(Resident(program) - before < MostMore, $"{before} → {Resident(program)}");
    }

    [Fact]
    public async Task Readers_that_do_not_read_are_refused_and_dismissed_and_the_others_have_what_they_ask_for()
    {
        var (program, http, before) = await FillAsync();
        List<RawReader> readers = [];
        try
        {
            for (var i = 0; i < 240; i++)
                readers.Add(await RawReader.GetAsync(http, i % 3 == 0 ? "/api/events" : i % 3 == 1 ? "/api/readings?limit=100000" : "/metrics"));
            using var sender = await MqttSender.ConnectAsync(MqttPortOf(program));
            for (var i = 0; i < 50; i++)
                await sender.SendAsync("good", $"{i}");
            Assert.Equal(200, await StatusAsync(http, "/healthz"));
            await Until.TrueAsync(async () => await RefusedAsync(http) > 0, () => program.Error);
            await Until.TrueAsync(async () => await StatusAsync(http, "/api/statistics?topic=good") == 200, () => program.Error);
            await Until.TrueAsync(async () => await StatusAsync(http, "/api/readings?limit=100000") == 200, () => program.Error); // They are dismissed.
            Assert.True(Resident(program) - before < MostMore, $"{before} → {Resident(program)}");
            Assert.Contains("a request over HTTP was refused (429)", program.Error, StringComparison.Ordinal);
            Assert.Equal(0, await program.TerminateAsync());
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    [Fact]
    public async Task What_is_too_much_at_a_time_is_told_to_come_again()
    {
        var (_, http, _) = await ServeAsync();
        List<RawReader> readers = [];
        try
        {
            for (var i = 0; i < 65; i++)
                readers.Add(await RawReader.GetAsync(http, "/api/events"));
            var statuses = await Task.WhenAll(readers.Select(reader => reader.StatusAsync()));
            Assert.Equal((64, 1), (statuses.Count(status => status == 200), statuses.Count(status => status == 429)));
            using var answer = await Client.GetAsync(new Uri(http, "/api/events"), TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.TooManyRequests, "1"), (answer.StatusCode, answer.Headers.RetryAfter?.ToString()));
            Assert.Equal(200, await StatusAsync(http, "/api/status"));
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    [Theory]
    [InlineData("GET /api/series HTTP/1.1\r\nHost: local")]
    [InlineData("")]
    [InlineData("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /heal")]
    public async Task Connections_that_ask_for_nothing_make_room_for_those_who_ask_for_health(string sent)
    {
        var (program, http, _) = await ServeAsync();
        List<RawReader> readers = [];
        try
        {
            for (var i = 0; i < 300; i++)
                readers.Add(await RawReader.ConnectAsync(http, sent));
            using var patient = new HttpClient(); // With a connection of its own.
            foreach (var path in new[] { "/healthz", "/api/status" })
            {
                using var answer = await patient.GetAsync(new Uri(http, path), TestContext.Current.CancellationToken);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
            var metrics = await patient.GetStringAsync(new Uri(http, "/metrics"), TestContext.Current.CancellationToken);
            Assert.InRange(ValueOf(metrics, "meanwhile_http_dismissed_total"), 100, 301);
            Assert.InRange(ValueOf(metrics, "meanwhile_http_connections"), 1, 192);
            Assert.Equal(0, await program.TerminateAsync());
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    [Fact]
    public async Task Names_in_problems_are_cut_and_answers_hold_plain_characters_that_nobody_may_take_for_html()
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        await sender.SendAsync("<b>'é", "1");
        using var answer = await GetAsync(http, "/api/readings");
        Assert.Contains("\"topic\":\"<b>'é\"", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(("application/json", "nosniff"), (answer.Content.Headers.ContentType?.ToString(), answer.Headers.GetValues("X-Content-Type-Options").Single()));
        Assert.InRange((await ProblemAsync(http, "/api/series?" + new string('x', 100_000))).Detail.Length, 100, 200);
        Assert.Equal((400, "after cannot be understood: expected the next of an answer before, as it stands there"), await ProblemAsync(http, "/api/readings?after=7"));
    }

    [Fact]
    public async Task A_large_payload_of_the_quarantine_comes_in_parts()
    {
        var (_, http, mqtt) = await ServeAsync("--max-packet", "8000000");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        var payload = new string('x', 5_000_000) + "end";
        await sender.SendAsync("DATA", payload);
        var number = (await JsonAsync(http, "/api/quarantine")).GetProperty("messages")[0].GetProperty("number");
        var (found, parts) = (new List<byte>(), 0);
        for (long? next = 0; next is { } offset; parts++)
        {
            var part = await JsonAsync(http, $"/api/quarantine/message?number={number}&offset={offset}");
            Assert.Equal(payload.Length, part.GetProperty("bytes").GetInt32());
            found.AddRange(part.GetProperty("payload").GetBytesFromBase64());
            next = part.GetProperty("next").ValueKind == JsonValueKind.Null ? null : part.GetProperty("next").GetInt64();
        }
        Assert.Equal((3, payload), (parts, Encoding.UTF8.GetString([.. found])));
    }

    [Fact]
    public async Task Statistics_as_of_a_time_come_in_pages_of_the_same_size()
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        var topics = Enumerable.Range(0, 150).Select(i => $"{i:000}/{LongTopic}").ToList();
        foreach (var topic in topics)
            await sender.SendAsync(topic, "1");
        var at = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1;
        foreach (var path in new[] { "/api/statistics?limit=10000", $"/api/statistics?limit=10000&at={at}", "/api/series?limit=10000" })
        {
            var (found, pages) = (new List<string>(), 0);
            for (var (next, query) = ("", ""); next is not null; query = "&after=" + Uri.EscapeDataString(next ?? ""), pages++)
            {
                var page = await JsonAsync(http, path + query);
                found.AddRange(page.EnumerateObject().First().Value.EnumerateArray().Select(series => series.GetProperty("topic").GetString()!));
                next = page.GetProperty("next").GetString();
            }
            Assert.Equal(topics, found);
            Assert.InRange(pages, 3, 6);
        }
    }

    private async Task<(RunningProgram Program, Uri Http, long Before)> FillAsync()
    {
        var (program, http, mqtt) = await ServeAsync("--topic", "#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        for (var i = 0; i < Readings; i++)
            await sender.SendAsync(LongTopic, $"{i}");
        return (program, http, Resident(program));
    }

    private static async Task<HttpResponseMessage> GetAsync(Uri http, string path)
    {
        var answer = await Client.GetAsync(new Uri(http, path), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer;
    }

    private static async Task<double> RefusedAsync(Uri http)
    {
        using var answer = await Client.GetAsync(new Uri(http, "/metrics"), TestContext.Current.CancellationToken);
        return answer.StatusCode == HttpStatusCode.TooManyRequests ? 1 : ValueOf(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), "meanwhile_http_refused_total");
    }

    private static double ValueOf(string metrics, string name) => double.Parse(metrics.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[1]);

    private static long Resident(RunningProgram program)
    {
        using var process = System.Diagnostics.Process.GetProcessById(program.Id);
        return process.WorkingSet64;
    }
}
