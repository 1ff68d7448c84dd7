using System.Reflection;
using System.Text.Json;
using Meanwhile.Pipeline;

namespace Meanwhile.Web;

/// <summary>What runs here, how it is, and what it has done: everything that a page has to ask for again and again.</summary>
internal sealed class StatusApi(PipelineStatus status, TimeProvider time)
{
    private static readonly string Version = typeof(StatusApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    private readonly IReadOnlyList<string> _members = new ResultWriter(status.Options.Windows, status.Options.Statistics).Names;

    public IEnumerable<Route> Routes =>
    [
        new("/api/status", [], context => Json.WriteAsync(context, Write)),
        new("/api/ledger", [], context => Json.WriteAsync(context, WriteLedger)),
    ];

    private void Write(Utf8JsonWriter json)
    {
        var options = status.Options;
        json.WriteStartObject();
        json.WriteString("version"u8, Version);
        json.WriteTime("now"u8, time.GetUtcNow().ToUnixTimeMilliseconds());
        json.WriteString("topic"u8, options.Filter);
        json.WriteString("stats_topic"u8, options.StatsTopic);
        json.WriteNumber("retention"u8, options.Retention.TotalSeconds);
        json.WriteStartArray("windows"u8);
        foreach (var window in options.Windows)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, window.Name);
            json.WriteNumber("seconds"u8, window.Milliseconds / 1000);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("members"u8);
        foreach (var member in _members)
            json.WriteStringValue(member);
        json.WriteEndArray();
        json.WriteBoolean("broker"u8, status.BrokerIsThere);
        json.WriteBoolean("store"u8, status.StoreIsThere);
        json.WriteBoolean("rebuilt"u8, status.Results is not null);
        json.WriteString("obstacle"u8, status.Obstacle);
        json.WriteNumber("series"u8, status.Results?.SeriesCount ?? 0);
        json.WriteNumber("max_series"u8, options.MostSeries);
        json.WriteNumber("series_refused"u8, status.Quota.Refused);
        json.WriteStartObject("memory"u8);
        foreach (var (name, bytes) in MemoryUsage.Of(status))
            json.WriteNumber(name, bytes);
        json.WriteEndObject();
        json.WritePropertyName("ledger"u8);
        WriteLedger(json);
        json.WriteEndObject();
    }

    private void WriteLedger(Utf8JsonWriter json)
    {
        var ledger = status.Ledger;
        json.WriteStartObject();
        json.WriteNumber("received"u8, ledger.Received);
        json.WriteNumber("committed"u8, ledger.Committed);
        json.WriteNumber("quarantined"u8, ledger.Quarantined);
        json.WriteNumber("duplicates"u8, ledger.Duplicates);
        json.WriteNumber("expired"u8, ledger.Expired);
        json.WriteNumber("ignored"u8, ledger.Ignored);
        json.WriteNumber("acknowledged"u8, ledger.Acknowledged);
        json.WriteNumber("received_with_dup"u8, ledger.ReceivedAgain);
        json.WriteNumber("dropped_from_quarantine"u8, ledger.DroppedFromQuarantine);
        json.WriteNumber("own_results"u8, ledger.OwnResults);
        json.WriteNumber("refused_results"u8, ledger.RefusedResults);
        json.WriteEndObject();
    }
}
