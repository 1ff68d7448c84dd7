using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>What lies in deploy/ for Prometheus and Grafana, in the hands of a real Prometheus that scrapes the real program. Grafana itself is no peer here: of its dashboard the form and the queries are judged.</summary>
[Trait("peer", "prometheus")]
public sealed partial class PrometheusTests : HttpTest
{
    private static readonly string Deployed = Path.GetFullPath("../../../deploy", Path.GetDirectoryName(Here())!);
    private readonly JsonElement _dashboard = JsonElement.Parse(File.ReadAllText(Path.Combine(Deployed, "grafana/meanwhile.json")));
    private Uri _prometheus = new("http://127.0.0.1");

    [Theory]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts.test.yml")]
    public async Task Promtool_is_content(params string[] arguments)
    {
        CopyConfiguration();
        var promtool = Peer("promtool", arguments);
        Assert.True(await promtool.ExitAsync() == 0, promtool.Output + promtool.Error);
        Assert.Contains("SUCCESS", promtool.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_query_of_the_dashboard_returns_data_and_alarms_are_raised_by_their_causes()
    {
        Peers.RequireProgram("prometheus");
        var (program, http, mqtt) = await ServeAsync("--topic", "plant/#", "--quarantine-messages", "1");
        await StartAsync(http);
        using var sender = await MqttSender.ConnectAsync(mqtt);
        for (var i = 0; i < 50; i++)
            await sender.SendAsync($"plant/{i % 5}", $"{i}");
        await Until.TrueAsync(async () => (await QueryAsync("increase(meanwhile_messages_received_total[1m])")).Count > 0, () => "it does not scrape");
        foreach (var expression in Queries())
            await Until.TrueAsync(async () => (await QueryAsync(expression)).Exists(value => !double.IsNaN(value)), () => $"no data: {expression}");
        foreach (var (metric, label) in Variables())
            Assert.NotEqual(0, (await AskAsync($"label/{label}/values?match[]={Uri.EscapeDataString(metric)}")).GetArrayLength());
        Assert.DoesNotContain(await AlarmsAsync(), alarm => alarm.EndsWith("firing", StringComparison.Ordinal));

        foreach (var (topic, payload) in new[] { ("plant/0/availability", "online"), ("plant/0", "offline"), ("plant/0", "") })
            await sender.SendAsync(topic, payload);
        await RaisedAsync("MeanwhileQuarantineDrops firing");
        Assert.DoesNotContain(await AlarmsAsync(), alarm => alarm.StartsWith("MeanwhileQuarantineGrows", StringComparison.Ordinal));
        foreach (var payload in new[] { "no number", "none either" })
            await sender.SendAsync("plant/0", payload);
        await RaisedAsync("MeanwhileQuarantineDrops firing", "MeanwhileQuarantineGrows firing");
        using (var locker = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            locker.Open();
            using var transaction = locker.BeginTransaction();
            await RaisedAsync("MeanwhileNotReady pending", "MeanwhileStoreFails firing");
        }
        await program.KillAsync();
        await RaisedAsync("MeanwhileDown pending");
        foreach (var rule in await RulesAsync())
            Assert.Equal("ok", rule.GetProperty("health").GetString());
    }

    [Fact]
    public void The_dashboard_is_one_that_grafana_takes()
    {
        Assert.InRange(_dashboard.GetProperty("schemaVersion").GetInt32(), 36, 41); // From Grafana 9 to 12.
        var variables = _dashboard.GetProperty("templating").GetProperty("list").EnumerateArray().Select(variable => variable.GetProperty("name").GetString()!).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(["DS_PROMETHEUS", "instance", "topic", "window"], variables.Order(StringComparer.Ordinal));
        var panels = _dashboard.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        var taken = new HashSet<(int, int)>();
        foreach (var panel in panels)
        {
            var (x, y, width, height) = (At("x"), At("y"), At("w"), At("h"));
            Assert.True(x + width <= 24 && width > 0 && height > 0);
            foreach (var cell in Enumerable.Range(0, width * height).Select(i => (x + (i % width), y + (i / width))))
                Assert.True(taken.Add(cell), panel.GetProperty("title").GetString());
            if (panel.GetProperty("type").GetString() == "row")
                continue;
            Assert.NotEqual("", panel.GetProperty("description").GetString());
            foreach (var source in panel.GetProperty("targets").EnumerateArray().Append(panel).Select(part => part.GetProperty("datasource")))
                Assert.Equal(("prometheus", "${DS_PROMETHEUS}"), (source.GetProperty("type").GetString(), source.GetProperty("uid").GetString()));

            int At(string name) => panel.GetProperty("gridPos").GetProperty(name).GetInt32();
        }
        foreach (Match used in UsedVariable().Matches(string.Join('\n', Expressions())))
            Assert.True(variables.Contains(used.Groups[1].Value) || used.Groups[1].Value == "__rate_interval", used.Value);
    }

    // The example configuration, at the address of the program and with less patience.
    private async Task StartAsync(Uri http)
    {
        CopyConfiguration();
        var example = await File.ReadAllTextAsync(Folder["prometheus.yml"], TestContext.Current.CancellationToken);
        var quick = example.Replace("localhost:8080", http.Authority, StringComparison.Ordinal).Replace(": 15s", ": 250ms", StringComparison.Ordinal);
        Assert.NotEqual(example, quick);
        await File.WriteAllTextAsync(Folder["prometheus.yml"], quick, TestContext.Current.CancellationToken);
        _prometheus = new Uri($"http://127.0.0.1:{MosquittoServer.FreePort()}");
        var prometheus = Peer("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", $"--web.listen-address={_prometheus.Authority}");
        await prometheus.SaysAsync("Server is ready to receive web requests");
    }

    private void CopyConfiguration()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Deployed, "prometheus")))
            File.Copy(file, Folder[Path.GetFileName(file)]);
    }

    private IEnumerable<string> Expressions() =>
        from panel in _dashboard.GetProperty("panels").EnumerateArray()
        where panel.TryGetProperty("targets", out _)
        from target in panel.GetProperty("targets").EnumerateArray()
        select target.GetProperty("expr").GetString()!;

    // As Grafana fills them in when everything is chosen.
    private IEnumerable<string> Queries() => Expressions().Select(expression => UsedVariable().Replace(expression, used => used.Groups[1].Value == "__rate_interval" ? "1m" : ".*"));

    private IEnumerable<(string Metric, string Label)> Variables() =>
        from variable in _dashboard.GetProperty("templating").GetProperty("list").EnumerateArray()
        where variable.GetProperty("type").GetString() == "query"
        let query = LabelValues().Match(variable.GetProperty("query").GetProperty("query").GetString()!)
        select (query.Groups[1].Value.Replace("$instance", ".*", StringComparison.Ordinal), query.Groups[2].Value);

    private async Task<List<double>> QueryAsync(string expression)
    {
        var result = (await AskAsync($"query?query={Uri.EscapeDataString(expression)}")).GetProperty("result");
        return [.. result.EnumerateArray().Select(series => double.Parse(series.GetProperty("value")[1].GetString()!.Replace("+Inf", "Infinity", StringComparison.Ordinal)))];
    }

    private async Task<List<JsonElement>> RulesAsync() =>
        [.. (await AskAsync("rules")).GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray())];

    private async Task<List<string>> AlarmsAsync() =>
        [.. (await AskAsync("alerts")).GetProperty("alerts").EnumerateArray().Select(alert => $"{alert.GetProperty("labels").GetProperty("alertname")} {alert.GetProperty("state")}").Order(StringComparer.Ordinal)];

    private async Task RaisedAsync(params string[] expected)
    {
        List<string> raised = [];
        await Until.TrueAsync(async () => !expected.Except(raised = await AlarmsAsync()).Any(), () => $"raised: {string.Join(", ", raised)}");
    }

    private async Task<JsonElement> AskAsync(string path)
    {
        var answer = await JsonAsync(_prometheus, "/api/v1/" + path);
        Assert.Equal("success", answer.GetProperty("status").GetString());
        return answer.GetProperty("data");
    }

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"\$\{?(\w+)\}?")]
    private static partial Regex UsedVariable();

    [GeneratedRegex(@"^label_values\((.*), (\w+)\)$")]
    private static partial Regex LabelValues();
}
