using System.Globalization;
using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Web.Browser;

/// <summary>The dashboard shows what is in the store, as it changes, and survives what happens to the server.</summary>
public sealed class DashboardTests(BrowserFixture browser) : BrowserTest(browser)
{
    private static readonly List<int> Seconds = [60, 300, 1800];

    [Fact]
    public async Task The_page_shows_what_the_rows_of_the_store_amount_to()
    {
        var (program, http, mqtt) = await ServeAsync("--topic", "plant/#", "--stats", "count");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        var random = new Random(1);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        for (var i = 0; i < 90; i++)
            await sender.SendAsync($"plant/{i % 3}", $$"""{"number": {{(random.NextDouble() - 0.5) * 1000:R}}, "epochtime": {{now - random.Next(2000)}}}""");

        await OpenLiveAsync(http);
        foreach (var topic in new[] { "plant/0", "plant/1", "plant/2" })
        {
            await Row(topic).ClickAsync();
            await TextAsync("#focus-name", topic);
            await TextAsync("#legend-text", "30 readings shown, of the last 35 min");
            var expected = Windows(topic).ConvertAll(values => ReadingsFile.ExactMean(values));
            var tiles = await Page.Locator("#tiles .tile > data").EvaluateAllAsync<string[]>("places => places.map(place => place.value)");
            CheckMeans(expected, tiles[1..]);
            CheckMeans(expected, await ExactAsync(Row(topic)));
        }
        await Page.SelectOptionAsync("#statistic", "count");
        await Page.WaitForFunctionAsync("() => document.querySelector('#grid .rows .tr:not([hidden])')?.cells[0].textContent.includes('.') === false");
        Assert.Equal(Windows("plant/2").Select(values => $"{values.Count}"), await ExactAsync(Row("plant/2")));
        Assert.Equal("90", await Page.TextContentAsync("#ledger dd"));
        await TextAsync("#balance", "balances");
        await CloseAsync(http);
        Assert.Equal(0, await program.TerminateAsync());
    }

    [Fact]
    public async Task A_reading_that_is_published_now_appears()
    {
        var (_, http, mqtt) = await ServeAsync();
        using var sender = await MqttSender.ConnectAsync(mqtt);
        await OpenLiveAsync(http);
        await TextAsync("#grid", "No readings yet");
        await sender.SendAsync("DATA", "10");
        await TextAsync("#focus-name", "DATA");
        await sender.SendAsync("DATA", "77.25");
        await Page.WaitForFunctionAsync("() => [...document.querySelectorAll('#tiles .tile > data')].map(place => place.value).join() === '77.25,43.625,43.625,43.625'");
        // The list has a pace of its own.
        await Page.WaitForFunctionAsync("() => document.querySelector('#grid .rows .tr:not([hidden])')?.cells.map(cell => cell.exact).join() === '43.625,43.625,43.625'");
        await TextAsync("#legend-text", "2 readings shown");
        await CloseAsync(http);
    }

    [Fact]
    public async Task It_finds_the_server_again_and_what_it_missed_without_a_reload()
    {
        var address = $"127.0.0.1:{MosquittoServer.FreePort()}";
        var http = new Uri($"http://{address}/");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(); // Readings have their own times: none leaves its window, however long this takes.
        var program = await StartAsync();
        var mqtt = Mqtt(program);
        using (var sender = await MqttSender.ConnectAsync(mqtt))
            await sender.SendAsync("DATA", $$"""{"number": 10, "epochtime": {{now - 20}}}""");
        await OpenLiveAsync(http);
        await TextAsync("#legend-text", "1 reading shown");
        await Page.EvaluateAsync("() => { window.isTheSamePage = true; }");

        await program.KillAsync();
        await StateAsync("lost");
        await TextAsync("#obstacle", "does not answer");
        program = await StartAsync();
        using var after = await MqttSender.ConnectAsync(Mqtt(program));
        await after.SendAsync("DATA", $$"""{"number": 20, "epochtime": {{now - 10}}}""");
        await StateAsync("live");
        await TextAsync("#legend-text", "2 readings shown");
        Assert.Equal(["15", "15", "15"], await ExactAsync(Row("DATA")));
        await after.SendAsync("DATA", $$"""{"number": 60, "epochtime": {{now}}}""");
        await TextAsync("#legend-text", "3 readings shown");
        Assert.True(await Page.EvaluateAsync<bool>("() => window.isTheSamePage"));
        await CloseAsync(http);

        async Task<RunningProgram> StartAsync()
        {
            var started = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--http", address]);
            await started.SaysAsync("read back");
            return started;
        }

        static int Mqtt(RunningProgram program) => int.Parse(Regex.Match(program.Error, @"127\.0\.0\.1:(\d+): the embedded broker").Groups[1].Value);
    }

    [Fact]
    public async Task Of_10000_series_only_those_rows_exist_that_can_be_seen()
    {
        const int Series = 10_000;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await File.WriteAllLinesAsync(
            Folder["many.jsonl"],
            Enumerable.Range(0, Series).Select(i => $$"""{"topic": "plant/{{i:0000}}", "number": {{i}}, "epochtime": {{now - (i % 50)}}}"""),
            TestContext.Current.CancellationToken);
        Assert.Equal(0, await Meanwhile(["import", "many.jsonl"]).ExitAsync());
        var (_, http, _) = await ServeAsync("--topic", "plant/#");
        await OpenLiveAsync(http);
        await TextAsync("#series-count", "10,000");

        await CheckRowsAsync(0);
        foreach (var row in new[] { 5000, 9000, 17 })
        {
            await Page.EvaluateAsync("at => { const grid = document.getElementById('grid'); grid.scrollTop = at * grid.firstChild.offsetHeight; }", row);
            await CheckRowsAsync(row);
        }
        await Page.FocusAsync("#grid");
        await Page.Keyboard.PressAsync("End");
        await TextAsync("#focus-name", "plant/9999");
        await Page.ClickAsync("#grid [role=columnheader]:nth-child(3) button");
        await Page.FocusAsync("#grid");
        await Page.Keyboard.PressAsync("Home");
        await CheckRowsAsync(Series - 1, step: -1);
        await Page.FillAsync("#search", "plant/42");
        await TextAsync("#series-count", "100 of 10,000");
        await CloseAsync(http);

        // The first row below the heading, and those after it, are the right ones; there are no more of them than a screen has room for.
        async Task CheckRowsAsync(int first, int step = 1)
        {
            var topics = Enumerable.Range(0, 5).Select(i => $"plant/{first + (i * step):0000}").ToArray();
            await Page.WaitForFunctionAsync(
                """
                topics => {
                  const top = document.querySelector("#grid .head").getBoundingClientRect().bottom - 1;
                  const seen = [...document.querySelectorAll("#grid .rows .tr:not([hidden])")].map(row => [row.getBoundingClientRect().top, row.topic.textContent]);
                  return seen.filter(([place]) => place >= top).sort((a, b) => a[0] - b[0]).slice(0, topics.length).map(([, topic]) => topic).join() === topics.join();
                }
                """, topics);
            Assert.InRange(await Page.Locator("#grid .tr").CountAsync(), 6, 60);
        }
    }

    [Fact]
    public async Task It_says_when_the_broker_is_away()
    {
        var program = Meanwhile(["aggregate", "--broker", $"127.0.0.1:{MosquittoServer.FreePort()}", "--http", "127.0.0.1:0"]);
        await program.SaysAsync("waiting for it");
        var http = AddressOf(program);
        await OpenLiveAsync(http);
        await TextAsync("#obstacle", "The broker is away");
        Assert.Equal("Waiting", await Page.TextContentAsync("#link"));
        await TextAsync("#states", "Brokeraway");
        await CloseAsync(http);
    }

    // The values in each window, by a plain look at the rows.
    private List<List<double>> Windows(string topic)
    {
        var rows = ReadingsFile.Query(Database, $"SELECT number, epochtime FROM messages JOIN series ON series.id = messages.series WHERE topic = '{topic}'")
            .ConvertAll(row => row.Split('|'))
            .ConvertAll(row => (Value: double.Parse(row[0], CultureInfo.InvariantCulture), Time: decimal.Parse(row[1], CultureInfo.InvariantCulture)));
        var end = rows.Max(row => row.Time);
        return Seconds.ConvertAll(window => rows.Where(row => row.Time >= end - window).Select(row => row.Value).ToList());
    }

    private static void CheckMeans(List<double?> expected, string[] shown)
    {
        Assert.Equal(expected.Count, shown.Length);
        foreach (var (mean, text) in expected.Zip(shown))
        {
            var found = double.Parse(text, CultureInfo.InvariantCulture);
            Assert.True(Math.Abs(found - mean!.Value) <= Math.BitIncrement(Math.Abs(found)) - Math.Abs(found), $"{text} is not {mean:R}");
        }
    }
}
