using System.Diagnostics.Tracing;
using System.Globalization;
using Meanwhile.Logging;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Telemetry;

/// <summary>Logs what the library has to say of exports that fail, a line a minute for each cause.</summary>
internal sealed class OtlpTroubles(ILogger logger, TimeProvider time) : EventListener
{
    private const string Exporter = "OpenTelemetry-Exporter-OpenTelemetryProtocol";
    private readonly LogLimiter _limiter = new(time);

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == Exporter)
            EnableEvents(eventSource, EventLevel.Warning);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (_limiter.MayLog(eventData.EventName ?? "", out var repeated))
            Log.NotExported(logger, Describe(eventData), repeated);
    }

    // Exceptions come as texts with their stacks: the first line says enough.
    private static string Describe(EventWrittenEventArgs eventData)
    {
        object?[] values = [.. (eventData.Payload ?? []).Select(value => value?.ToString()?.Split('\n')[0].TrimEnd('\r'))];
        return string.Format(CultureInfo.InvariantCulture, eventData.Message ?? eventData.EventName ?? "", values).ReplaceLineEndings(" ");
    }
}
