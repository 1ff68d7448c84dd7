using System.Diagnostics.Metrics;
using System.Reflection;
using Meanwhile.Pipeline;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Meanwhile.Telemetry;

/// <summary>Sends metrics and spans by OTLP, on threads of its own: a collector that is slow or away is no concern of the data path's.</summary>
internal sealed class OtlpExport : IAsyncDisposable
{
    // What is left at the end is sent when that takes no longer than this.
    private const int LastMilliseconds = 2000;

    private readonly OtlpOptions _options;
    private readonly PipelineStatus _status;
    private readonly OtlpTroubles _troubles;
    private readonly List<MeterProvider> _metrics = [];
    private readonly TracerProvider? _traces;

    /// <summary>Starts to collect and to send.</summary>
    /// <param name="options">What, where to and how often.</param>
    /// <param name="status">What there is to see.</param>
    /// <param name="logger">For what goes wrong.</param>
    /// <param name="time">For how often that is said.</param>
    public OtlpExport(OtlpOptions options, PipelineStatus status, ILogger logger, TimeProvider time)
    {
        (_options, _status, _troubles) = (options, status, new OtlpTroubles(logger, time));
        if (options.SendsMetrics)
            _metrics.AddRange(MetricsOfTheProgram(), MetricsOfSeries());
        if (options.SendsTraces)
        {
            _traces = Sdk.CreateTracerProviderBuilder()
                .ConfigureServices(Configure).SetResourceBuilder(Resource()).AddSource(PipelineTracing.SourceName).AddOtlpExporter().Build();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll([.. _metrics.Select(metrics => Task.Run(() => metrics.Shutdown(LastMilliseconds))), Task.Run(() => _traces?.Shutdown(LastMilliseconds))]);
        foreach (var metrics in _metrics)
            metrics.Dispose();
        _traces?.Dispose();
        _troubles.Dispose();
    }

    private MeterProvider MetricsOfTheProgram() => Metrics()
        .AddView(instrument => IsOfSeries(instrument) ? MetricStreamConfiguration.Drop : null)
        .AddOtlpExporter()
        .Build();

    // Series come and go. With the temporality delta the library forgets those that are gone; gauges look the same on the wire with both.
    private MeterProvider MetricsOfSeries() => Metrics()
        .AddView(instrument => IsOfSeries(instrument) ? new MetricStreamConfiguration { CardinalityLimit = Math.Max(1, 2 * _options.MostSeries * _status.Options.Windows.Count) } : MetricStreamConfiguration.Drop)
        .AddOtlpExporter((_, reader) => reader.TemporalityPreference = MetricReaderTemporalityPreference.Delta)
        .Build();

    private MeterProviderBuilder Metrics() => Sdk.CreateMeterProviderBuilder()
        .ConfigureServices(Configure).SetResourceBuilder(Resource()).AddMeter(PipelineStatus.MeterName);

    private void Configure(IServiceCollection services) => services.AddSingleton(_options.Variables);

    private static bool IsOfSeries(Instrument instrument) => instrument.Name is Gauges.SeriesMean or Gauges.SeriesReadings;

    // The variables come last, because they win.
    private static ResourceBuilder Resource() => ResourceBuilder.CreateEmpty()
        .AddService("meanwhile", serviceVersion: typeof(OtlpExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion)
        .AddTelemetrySdk()
        .AddEnvironmentVariableDetector();
}

/// <summary>What is sent by OTLP.</summary>
/// <param name="Variables">The variables OTEL_…, for the library.</param>
/// <param name="SendsMetrics">Metrics are sent.</param>
/// <param name="SendsTraces">Spans are sent.</param>
/// <param name="MostSeries">How many series have metrics of their own.</param>
internal sealed record OtlpOptions(IConfiguration Variables, bool SendsMetrics, bool SendsTraces, int MostSeries);
