using System.CommandLine;
using Meanwhile.Telemetry;
using Microsoft.Extensions.Configuration;

namespace Meanwhile.Settings;

/// <summary>The variables that the standard has for OTLP, in the environment or in <c>.env</c>. The library reads them; what it would pass over in silence is checked here.</summary>
internal static class OtlpSettings
{
    private const string Disabled = "OTEL_SDK_DISABLED";
    private static readonly string[] Signals = ["", "METRICS_", "TRACES_"];

    /// <summary>Reads them.</summary>
    /// <param name="commandLine">Says how many series have metrics of their own.</param>
    /// <returns>Null when nothing is to be sent: nothing is unless one of them asks for it.</returns>
    /// <exception cref="UserException">One cannot be understood.</exception>
    public static OtlpOptions? Read(ParseResult commandLine, SettingSources sources)
    {
        Check(sources, Disabled, text => bool.TryParse(text, out _), "true or false");
        if (sources.Find(Disabled) is { } disabled && bool.Parse(disabled.Value))
            return null;
        foreach (var signal in Signals)
        {
            Check(sources, $"OTEL_EXPORTER_OTLP_{signal}ENDPOINT", IsAddress, "the address of a collector such as http://localhost:4317");
            Check(sources, $"OTEL_EXPORTER_OTLP_{signal}PROTOCOL", text => text is "grpc" or "http/protobuf", "grpc or http/protobuf");
        }
        foreach (var name in new[] { "OTEL_METRIC_EXPORT_INTERVAL", "OTEL_METRIC_EXPORT_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_BSP_SCHEDULE_DELAY" })
            Check(sources, name, text => int.TryParse(text, out var milliseconds) && milliseconds > 0, "a number of milliseconds such as 60000");
        var (metrics, traces) = (IsWanted(sources, "METRICS"), IsWanted(sources, "TRACES"));
        return metrics || traces
            ? new OtlpOptions(new ConfigurationBuilder().Add(new Source(sources)).Build(), metrics, traces, HttpSettings.MetricSeries.Read(commandLine, sources))
            : null;
    }

    private static bool IsWanted(SettingSources sources, string signal)
    {
        var exporter = $"OTEL_{signal}_EXPORTER";
        Check(sources, exporter, text => text is "otlp" or "none", "otlp or none");
        return sources.Find(exporter) is { } chosen
            ? chosen.Value == "otlp"
            : (sources.Find("OTEL_EXPORTER_OTLP_ENDPOINT") ?? sources.Find($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")) is not null;
    }

    private static bool IsAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https";

    private static void Check(SettingSources sources, string variable, Func<string, bool> isGood, string expected)
    {
        if (sources.Find(variable) is { } found && !isGood(found.Value))
            throw new UserException($"{variable} in {found.Source}: '{found.Value}' cannot be understood: expected {expected}", ExitCode.Usage);
    }

    private sealed class Source(SettingSources sources) : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override bool TryGet(string key, out string? value) => (value = sources.Find(key)?.Value) is not null;
    }
}
