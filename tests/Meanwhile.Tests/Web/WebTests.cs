using System.Buffers;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Meanwhile.Pipeline;
using Meanwhile.Tests.Support;
using Meanwhile.Web;

namespace Meanwhile.Tests.Web;

/// <summary>What is served over HTTP, without a data path around it.</summary>
public sealed class WebTests
{
    private readonly ListLogger _log = new();

    [Fact]
    public async Task A_reader_that_is_slow_misses_results_and_gets_the_last_one_of_each_series()
    {
        const int Results = 200_000;
        using var status = NewStatus();
        await using var server = await StartAsync(status);
        using var client = new HttpClient();
        using var events = new StreamReader(await client.GetStreamAsync(new Uri(Address(), "/api/events"), TestContext.Current.CancellationToken));
        await events.ReadLineAsync(TestContext.Current.CancellationToken);
        status.Listeners.Tell("rare", new Result("", Encoding.UTF8.GetBytes("{\"avg_1min\": -1}"), 1000, 500));
        for (var i = 1; i <= Results; i++)
            status.Listeners.Tell("busy", new Result("", Encoding.UTF8.GetBytes($"{{\"avg_1min\": {i}}}"), i, i));

        List<string> read = [];
        while (read.LastOrDefault()?.Contains($": {Results}}}", StringComparison.Ordinal) != true)
        {
            var line = await events.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.True(line is not null, $"the stream has ended after {read.Count} results");
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                read.Add(line);
        }
        Assert.InRange(read.Count, 2, Results / 2);
        Assert.Contains("data: {\"topic\":\"rare\",\"epochtime\":1,\"newest\":0.5,\"result\":{\"avg_1min\": -1}}", read);
    }

    [Fact]
    public async Task A_mailbox_holds_the_newest_of_each_series_and_gives_up_when_there_are_too_many()
    {
        var mailbox = new ResultMailbox(topic => topic != "unwanted");
        foreach (var (series, payload) in new[] { ("a", "1"), ("b", "2"), ("a", "333"), ("unwanted", "4"), ("b", "") })
            mailbox.Put(series, new Result("", Encoding.UTF8.GetBytes(payload), payload.Length, null), 1);
        Assert.True(await mailbox.WaitAsync(TestContext.Current.CancellationToken));
        Assert.True(mailbox.TryTake(out var a, out var first));
        Assert.True(mailbox.TryTake(out var b, out var second));
        Assert.Equal(("a", 3, "333", "b", 0, ""), (a, first.End, Encoding.UTF8.GetString(first.Payload), b, second.End, Encoding.UTF8.GetString(second.Payload)));
        Assert.False(mailbox.TryTake(out _, out _));

        for (var i = 0; i <= ResultMailbox.MostSeries; i++)
            mailbox.Put($"{i}", new Result("", ReadOnlyMemory<byte>.Empty, i, i), i);
        while (await mailbox.WaitAsync(TestContext.Current.CancellationToken))
        {
        }
    }

    [Fact]
    public void A_result_that_takes_the_place_of_another_one_leaves_no_garbage_to_the_data_path()
    {
        var listeners = new ResultListeners();
        Assert.True(listeners.TryAdd(new ResultMailbox(_ => true)));
        var result = new Result("", new byte[100], 1, 1);
        listeners.Tell("a", result);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var i = 0; i < 10_000; i++)
                listeners.Tell("a", result);
        }));
    }

    [Fact]
    public async Task While_the_windows_are_rebuilt_that_is_said()
    {
        using var status = NewStatus();
        await using var server = await StartAsync(status);
        using var client = new HttpClient();
        Assert.Contains("the store is away", await DetailAsync("/readyz"), StringComparison.Ordinal);
        status.StoreIsThere = true;
        foreach (var path in new[] { "/readyz", "/api/series", "/api/statistics" })
            Assert.Equal("the windows are being rebuilt from the store", await DetailAsync(path));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri(Address(), "/healthz"), TestContext.Current.CancellationToken)).StatusCode);
        status.Rebuilt(new Results(status.Options));
        Assert.StartsWith("the broker is away", await DetailAsync("/readyz"), StringComparison.Ordinal);

        async Task<string?> DetailAsync(string path)
        {
            using var answer = await client.GetAsync(new Uri(Address(), path), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            return JsonElement.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("detail").GetString();
        }
    }

    [Fact]
    public async Task The_description_knows_the_routes_and_their_parameters_and_no_others()
    {
        using var status = NewStatus();
        using var endpoints = new ApiEndpoints("none", status, _log, TimeProvider.System, CancellationToken.None);
        await using var server = await StartAsync(status);
        using var client = new HttpClient();
        var document = JsonElement.Parse(await client.GetStringAsync(new Uri(Address(), "/openapi.json"), TestContext.Current.CancellationToken));
        var described = document.GetProperty("paths").EnumerateObject().Select(path =>
        {
            var get = path.Value.GetProperty("get");
            return (path.Name, string.Join(',', get.GetProperty("parameters").EnumerateArray().Select(p => p.GetProperty("name").GetString())), get.TryGetProperty("security", out _));
        });
        Assert.Equal(
            endpoints.Routes.Select(route => (route.Path, string.Join(',', route.Parameters), route.IsOpen)).Order(),
            described.Order());
        foreach (Match reference in Regex.Matches(document.GetRawText(), "#/components/schemas/(\\w+)"))
            Assert.True(document.GetProperty("components").GetProperty("schemas").TryGetProperty(reference.Groups[1].Value, out _), reference.Value);
    }

    [Fact]
    public void Labels_are_escaped_and_buckets_add_up()
    {
        using var meter = new Meter("test");
        using var processors = new SemaphoreSlim(1);
        using var page = new MetricsPage(meter, processors);
        meter.CreateObservableGauge("a.b", () => new Measurement<double>(double.NaN, new KeyValuePair<string, object?>("topic", "x\"\\\n} 7")), "s", "One\nline.");
        var histogram = meter.CreateHistogram("h", "By", null, tags: null, new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2] });
        foreach (var value in new[] { 1, 2, 2, 3 })
            histogram.Record(value);
        var text = new ArrayBufferWriter<byte>();
        page.Write(text, asOpenMetrics: false);
        Assert.Equal(
            "# HELP a_b_seconds One\\nline.\n# TYPE a_b_seconds gauge\na_b_seconds{topic=\"x\\\"\\\\\\n} 7\"} NaN\n"
            + "# HELP h_bytes \n# TYPE h_bytes histogram\nh_bytes_bucket{le=\"1\"} 1\nh_bytes_bucket{le=\"2\"} 3\nh_bytes_bucket{le=\"+Inf\"} 4\nh_bytes_sum 8\nh_bytes_count 4\n",
            Encoding.UTF8.GetString(text.WrittenSpan));
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@x,\"y\"", "\"'@x,\"\"y\"\"\"")]
    [InlineData("-1\r\n", "\"'-1\r\n\"")]
    [InlineData("'=1", "''=1")]
    [InlineData("'a'", "'a'")]
    [InlineData("", "")]
    public void Texts_in_csv_are_no_formulas(string text, string expected) => Assert.Equal(expected, Csv.Quote(text));

    private static PipelineStatus NewStatus() => new(new AggregatorOptions("#", "STATS"), TimeProvider.System);

    private Task<WebServer> StartAsync(PipelineStatus status) =>
        WebServer.StartAsync(new HttpOptions(new IPEndPoint(IPAddress.Loopback, 0), Token: null), "none", status, _log, TimeProvider.System, CancellationToken.None);

    private Uri Address() => new(Regex.Match(string.Join('\n', _log.Lines), "http://\\S+").Value);
}
