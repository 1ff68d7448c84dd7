using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Telemetry;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace Meanwhile.Tests.Telemetry;

/// <summary>Metrics by OTLP, without a data path around them.</summary>
public sealed class OtlpExportTests
{
    private readonly ListLogger _log = new();

    [Fact]
    public async Task Series_that_are_not_shown_any_more_are_not_sent_any_more_however_many_there_were()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var variables = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "20",
        }).Build();
        using var status = new PipelineStatus(new AggregatorOptions("#", "STATS"), TimeProvider.System);
        var results = new Results(status.Options);
        status.Rebuilt(results);
        new Gauges(status, mostSeries: 1, TimeProvider.System).Register();
        await using var export = new OtlpExport(new OtlpOptions(variables, SendsMetrics: true, SendsTraces: false, MostSeries: 1), status, _log, TimeProvider.System);
        for (var topic = 'z'; topic >= 'q'; topic--) // The first one by name is the one that is shown.
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            results.Add([new Reading($"{topic}", now, topic)], now, tickIsDue: false);
            await Until.TrueAsync(
                () => receiver.Requests.Select(Shown).LastOrDefault(shown => shown.Count > 0) is [var one] && one == $"topic={topic},window=1min",
                () => $"{topic}: {string.Join("; ", receiver.Requests.Select(request => string.Join(',', Shown(request))))}");
        }
        Assert.Empty(_log.Lines);
    }

    private static List<string> Shown(OtlpRequest request) =>
        [.. OtlpReceiver.PointsOf(request).Where(point => point.Metric == Gauges.SeriesMean && !point.Attributes.Contains("5min", StringComparison.Ordinal) && !point.Attributes.Contains("30min", StringComparison.Ordinal)).Select(point => point.Attributes)];
}
