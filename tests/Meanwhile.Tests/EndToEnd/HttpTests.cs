using System.Text.Json;
using Meanwhile.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>What the program tells over HTTP while it runs.</summary>
public sealed class HttpTests : HttpTest
{
    private const string Hostile = "=cmd|' /C calc'!A0/,\"q\"\\</script>{}é😀";

    [Fact]
    public async Task Statistics_are_those_that_query_tells_and_that_the_rows_amount_to()
    {
        var (program, http, mqtt) = await ServeAsync("--topic", "plant/#", "--stats", "count,p50");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        var random = new Random(1);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        for (var i = 0; i < 200; i++)
            await sender.SendAsync($"plant/{(i % 3)}", $$"""{"number": {{(random.NextDouble() - 0.5) * 1e6:R}}, "epochtime": {{now - random.Next(2000)}}}""");

        var answer = await JsonAsync(http, "/api/statistics");
        var query = Meanwhile(["query", "--topic", "plant/#", "--stats", "count,p50"]);
        Assert.Equal(0, await query.ExitAsync());
        Assert.Equal(
            query.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line).GetProperty("result").GetRawText()),
            answer.GetProperty("statistics").EnumerateArray().Select(series => series.GetProperty("result").GetRawText()));
        foreach (var series in answer.GetProperty("statistics").EnumerateArray())
            CheckAgainstRows(series);

        var at = await JsonAsync(http, $"/api/statistics?at={now}");
        Assert.Equal(answer.GetProperty("statistics").GetRawText(), at.GetProperty("statistics").GetRawText());
        Assert.True(at.GetProperty("complete").GetBoolean());
        Assert.Equal(200, (await JsonAsync(http, "/api/ledger")).GetProperty("committed").GetInt32());
        Assert.Equal(0, await program.TerminateAsync());
    }

    [Fact]
    public async Task Series_come_in_pages_and_by_filter()
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        foreach (var topic in new[] { "b/t", "a/t", "c", "a/u" })
            await sender.SendAsync(topic, "1");

        var (found, after) = (new List<string>(), "");
        for (string? next = ""; next is not null; after = "&after=" + next)
        {
            var page = await JsonAsync(http, "/api/series?limit=3" + after);
            found.AddRange(page.GetProperty("series").EnumerateArray().Select(series => series.GetProperty("topic").GetString()!));
            next = page.GetProperty("next").GetString();
        }
        Assert.Equal(["a/t", "a/u", "b/t", "c"], found);
        var filtered = await JsonAsync(http, "/api/series?topic=%2B/t");
        Assert.Equal(["STATS/a/t", "STATS/b/t"], filtered.GetProperty("series").EnumerateArray().Select(series => series.GetProperty("result_topic").GetString()!));
    }

    [Fact]
    public async Task Hostile_topics_and_payloads_stay_texts_in_every_output()
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        using var events = await EventsAsync(http);
        await sender.SendAsync(Hostile, """{"number": -5, "epochtime": 1000000000}"""); // Expired.
        await sender.SendAsync(Hostile, "-5");
        await sender.SendAsync(Hostile, "<script>alert(1)</script>");

        Assert.Equal(Hostile, (await JsonAsync(http, "/api/series")).GetProperty("series")[0].GetProperty("topic").GetString());
        Assert.Equal(Hostile, (await JsonAsync(http, "/api/statistics")).GetProperty("statistics")[0].GetProperty("topic").GetString());
        Assert.Equal(Hostile, (await JsonAsync(http, "/api/readings")).GetProperty("readings")[0].GetProperty("topic").GetString());
        var message = (await JsonAsync(http, "/api/quarantine?order=newest")).GetProperty("messages")[0];
        Assert.Equal((Hostile, 25), (message.GetProperty("topic").GetString(), message.GetProperty("bytes").GetInt32()));
        var whole = await JsonAsync(http, $"/api/quarantine/message?number={message.GetProperty("number")}");
        Assert.Equal("<script>alert(1)</script>"u8.ToArray(), whole.GetProperty("payload").GetBytesFromBase64());
        var csv = (await Client.GetStringAsync(new Uri(http, "/api/readings?format=csv"), TestContext.Current.CancellationToken)).Split('\n');
        Assert.Equal("topic,number,epochtime", csv[0]);
        Assert.StartsWith("\"'=cmd|' /C calc'!A0/,\"\"q\"\"\\</script>{}é😀\",-5,", csv[1], StringComparison.Ordinal);
        var metrics = await Client.GetStringAsync(new Uri(http, "/metrics"), TestContext.Current.CancellationToken);
        Assert.Contains("meanwhile_series_mean{topic=\"=cmd|' /C calc'!A0/,\\\"q\\\"\\\\</script>{}é😀\",window=\"1min\"} -5\n", metrics, StringComparison.Ordinal);
        var told = await NextEventAsync(events);
        Assert.Equal((Hostile, "{\"avg_1min\": -5, \"avg_5min\": -5, \"avg_30min\": -5}"), (told.GetProperty("topic").GetString(), told.GetProperty("result").GetRawText()));
    }

    [Fact]
    public async Task What_cannot_be_answered_is_a_problem_that_says_what_was_expected()
    {
        var (_, http, _) = await ServeAsync();
        Assert.Equal((404, "there is nothing at this path: /openapi.json describes what there is"), await ProblemAsync(http, "/nowhere"));
        Assert.Equal(405, (await ProblemAsync(new HttpRequestMessage(HttpMethod.Delete, new Uri(http, "/api/series")))).Status);
        Assert.Equal((400, "limit cannot be understood: expected a whole number from 1 to 10000"), await ProblemAsync(http, "/api/series?limit=10001"));
        Assert.Equal((400, "the parameter 'x' cannot be understood: expected topic, after, limit"), await ProblemAsync(http, "/api/series?x=1"));
        Assert.Equal(400, (await ProblemAsync(http, "/api/series?limit=1&limit=2")).Status);
        Assert.Equal(400, (await ProblemAsync(http, "/api/readings?topic=a/%23/b")).Status);
        Assert.Equal(400, (await ProblemAsync(http, "/api/statistics?at=noon")).Status);
        Assert.Equal(404, (await ProblemAsync(http, "/api/quarantine/message?number=17")).Status);
        var stranger = new HttpRequestMessage(HttpMethod.Get, new Uri(http, "/api/series")) { Headers = { Host = "evil.example" } };
        Assert.Equal(403, (await ProblemAsync(stranger)).Status);
    }

    [Fact]
    public async Task With_a_token_only_health_is_open()
    {
        const string Token = "0123456789abcdef";
        await File.WriteAllTextAsync(Folder["token"], Token + "\n", TestContext.Current.CancellationToken);
        var program = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--http", "0.0.0.0:0", "--http-token-file", "token"]);
        await program.SaysAsync("read back");
        var http = new UriBuilder(AddressOf(program)) { Host = "127.0.0.1" }.Uri;
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 200, () => program.Error);
        Assert.Equal(200, await StatusAsync(http, "/healthz"));
        foreach (var shown in new[] { null, "Bearer " + Token[1..], "Bearer " + Token + "0", "Bearer", "Basic " + Token })
        {
            foreach (var path in new[] { "/metrics", "/api/series", "/nowhere", "/openapi.json" })
                Assert.Equal(401, (await ProblemAsync(RequestWith(shown, path))).Status);
        }
        using var answer = await Client.SendAsync(RequestWith("bearer " + Token, "/api/series"), TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode);

        HttpRequestMessage RequestWith(string? shown, string path)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(http, path));
            request.Headers.TryAddWithoutValidation("Authorization", shown);
            return request;
        }
    }

    [Fact]
    public async Task While_the_store_is_locked_it_is_alive_and_not_ready_and_its_windows_can_be_asked()
    {
        var (program, http, mqtt) = await ServeAsync();
        using var sender = await MqttSender.ConnectAsync(mqtt);
        await sender.SendAsync("DATA", "5");
        using (var locker = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            locker.Open();
            using var transaction = locker.BeginTransaction();
            await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 503, () => program.Error);
            Assert.StartsWith("the store is away", (await ProblemAsync(http, "/readyz")).Detail, StringComparison.Ordinal);
            Assert.Equal(200, await StatusAsync(http, "/healthz"));
            Assert.Equal(1, (await JsonAsync(http, "/api/statistics")).GetProperty("statistics").GetArrayLength());
            Assert.Contains("meanwhile_store_available 0\n", await Client.GetStringAsync(new Uri(http, "/metrics"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 200, () => program.Error);
        Assert.Equal(0, await program.TerminateAsync());
    }

    [Fact]
    public async Task While_the_broker_is_away_it_is_not_ready()
    {
        var port = MosquittoServer.FreePort();
        var program = Meanwhile(["aggregate", "--broker", $"127.0.0.1:{port}", "--http", "127.0.0.1:0"]);
        await program.SaysAsync("waiting for it");
        var http = AddressOf(program);
        await Until.TrueAsync(async () => (await ProblemAsync(http, "/readyz")).Detail.StartsWith("the broker is away", StringComparison.Ordinal), () => program.Error);
        Assert.Equal(200, await StatusAsync(http, "/healthz"));

        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{port}"]);
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 200, () => program.Error);
        await broker.KillAsync();
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 503, () => program.Error);
    }

    [Fact]
    public async Task From_when_it_is_told_to_stop_it_is_not_ready_until_it_ends()
    {
        using var broker = new RawBroker();
        var program = Meanwhile(["aggregate", "--broker", broker.Address, "--http", "127.0.0.1:0"]);
        using var connection = await broker.AcceptAsync();
        await connection.ReceiveAsync();
        await connection.SendAsync("2003000000");
        await connection.ReceiveAsync();
        await connection.SendAsync("9004 0001 00 02");
        await connection.SendAsync("300A 0004 44415441 00 372E30"); // "7.0" at QoS 0.
        Assert.StartsWith("32", await connection.ReceiveAsync(), StringComparison.Ordinal); // The result, whose acknowledgement it will wait for.
        var http = AddressOf(program);
        Assert.Equal(200, await StatusAsync(http, "/readyz"));

        var ending = program.TerminateAsync();
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 503, () => program.Error);
        Assert.Equal((503, "it is stopping: nothing more is taken in"), await ProblemAsync(http, "/readyz"));
        Assert.Equal(200, await StatusAsync(http, "/healthz"));
        await connection.SendAsync("4002 0001"); // PUBACK.
        Assert.Equal(0, await ending);
    }

    [Fact]
    public async Task It_stops_in_good_order_also_while_somebody_listens()
    {
        var (program, http, mqtt) = await ServeAsync();
        using var sender = await MqttSender.ConnectAsync(mqtt);
        using var events = await EventsAsync(http);
        await sender.SendAsync("DATA", "5");
        Assert.Equal("DATA", (await NextEventAsync(events)).GetProperty("topic").GetString());
        Assert.Equal(0, await program.TerminateAsync());
    }

    [Fact]
    public async Task The_demo_serves_without_being_asked()
    {
        var demo = Meanwhile(["demo"]);
        await demo.SaysAsync("demo: broker");
        await Until.TrueAsync(async () => await StatusAsync(AddressOf(demo), "/readyz") == 200, () => demo.Error);
        Assert.Equal(0, await demo.TerminateAsync());
    }

    private static async Task<StreamReader> EventsAsync(Uri http)
    {
        var reader = new StreamReader(await Client.GetStreamAsync(new Uri(http, "/api/events"), TestContext.Current.CancellationToken));
        Assert.StartsWith(":", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal); // From here on it listens.
        return reader;
    }

    private static async Task<JsonElement> NextEventAsync(StreamReader events)
    {
        while (await events.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                return JsonElement.Parse(line["data: ".Length..]);
        }
        Assert.Fail("the stream has ended");
        return default;
    }

    private void CheckAgainstRows(JsonElement series)
    {
        var rows = ReadingsFile.Query(Database, $"SELECT number, epochtime FROM messages JOIN series ON series.id = messages.series WHERE topic = '{series.GetProperty("topic")}'")
            .ConvertAll(row => row.Split('|'))
            .ConvertAll(row => (Value: double.Parse(row[0]), Time: decimal.Parse(row[1])));
        var end = rows.Max(row => row.Time);
        Assert.Equal(end, series.GetProperty("epochtime").GetDecimal());
        foreach (var (name, window) in new[] { ("1min", 60), ("5min", 300), ("30min", 1800) })
        {
            var values = rows.Where(row => row.Time >= end - window).Select(row => row.Value).ToList();
            var found = series.GetProperty("result").GetProperty("avg_" + name).GetDouble();
            var expected = ReadingsFile.ExactMean(values)!.Value;
            Assert.True(Math.Abs(found - expected) <= Math.BitIncrement(Math.Abs(found)) - Math.Abs(found), $"{found:R} is not {expected:R}");
            Assert.Equal(values.Count, series.GetProperty("result").GetProperty("count_" + name).GetInt32());
        }
    }
}
