using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The metrics of the real program, judged by Prometheus' own tool.</summary>
[Trait("peer", "promtool")]
public sealed class MetricsTests : HttpTest
{
    [Fact]
    public async Task Promtool_finds_nothing_to_complain_about()
    {
        var metrics = await CollectAsync("text/plain");
        var promtool = Peer("promtool", "check", "metrics");
        await promtool.Input.WriteAsync(metrics);
        promtool.Input.Close();
        Assert.Equal(0, await promtool.ExitAsync());
        Assert.Equal("", promtool.Output + promtool.Error);
    }

    [Fact]
    public async Task Prometheus_reads_them_as_OpenMetrics()
    {
        var metrics = await CollectAsync("application/openmetrics-text; version=1.0.0");
        Assert.EndsWith("\n# EOF\n", metrics, StringComparison.Ordinal);
        // A block needs times, which a scrape leaves to the one who scrapes.
        var withTimes = Regex.Replace(metrics, "^(?!#).+$", "$0 1700000000", RegexOptions.Multiline);
        await File.WriteAllTextAsync(Folder["metrics"], withTimes, TestContext.Current.CancellationToken);
        var promtool = Peer("promtool", "tsdb", "create-blocks-from", "openmetrics", "metrics", "blocks");
        Assert.True(await promtool.ExitAsync() == 0, promtool.Error + withTimes);
    }

    private async Task<string> CollectAsync(string accept)
    {
        Peers.RequireProgram("promtool");
        var (_, http, mqtt) = await ServeAsync("--topic", "#", "--http-metric-series", "2");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        foreach (var topic in new[] { "plant/\"a\\", "plant/b", "plant/c" })
            await sender.SendAsync(topic, "1.5");
        await sender.SendAsync("plant/b", "no number");
        await sender.SendAsync("plant/b", "");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(http, "/metrics")) { Headers = { { "Accept", accept } } };
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        var metrics = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        foreach (var line in new[]
            {
                "meanwhile_messages_received_total 5", "meanwhile_messages_committed_total 3", "meanwhile_messages_quarantined_total 1", "meanwhile_messages_ignored_total 1", "meanwhile_quarantine_unexpected_total 1",
                "meanwhile_series 3", "meanwhile_series_not_shown 1", "meanwhile_broker_connected 1", "meanwhile_ready 1",
                "meanwhile_series_readings{topic=\"plant/b\",window=\"30min\"} 1",
            })
        {
            Assert.Contains($"\n{line}\n", metrics, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("plant/c", metrics, StringComparison.Ordinal);
        return metrics;
    }
}
