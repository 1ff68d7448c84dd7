using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Reports for machines; docs/performance.md has the schema.</summary>
internal static class ReportJson
{
    private const int Version = 1;

    public static void Write(Stream output, BenchOptions options, string store, DateTimeOffset began, IEnumerable<ScenarioReport> reports)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteString("program", typeof(ReportJson).Assembly.GetName().Version?.ToString(3));
        json.WriteString("began", began.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        json.WriteStartObject("machine");
        json.WriteNumber("processors", Environment.ProcessorCount);
        json.WriteString("processor", ProcessorName());
        json.WriteString("system", RuntimeInformation.OSDescription);
        json.WriteString("runtime", RuntimeInformation.FrameworkDescription);
        json.WriteEndObject();
        json.WriteString("broker", options.BrokerName);
        json.WriteString("store", store);
        json.WriteNumber("qos", options.Qos);
        json.WriteNumber("seconds", options.Duration.TotalSeconds);
        json.WriteNumber("rounds", options.Rounds);
        json.WriteStartArray("scenarios");
        foreach (var report in reports)
            Write(json, report);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>What the processor calls itself.</summary>
    public static string ProcessorName()
    {
        const string Information = "/proc/cpuinfo";
        var line = File.Exists(Information) ? File.ReadLines(Information).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static void Write(Utf8JsonWriter json, ScenarioReport report)
    {
        json.WriteStartObject();
        json.WriteString("name", report.Name);
        json.WriteString("title", report.Title);
        json.WriteString("size", report.SizeName);
        json.WriteStartArray("rows");
        foreach (var row in report.Rows)
            Write(json, row);
        json.WriteEndArray();
        Write(json, "notes", report.Notes);
        Write(json, "findings", report.Findings);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Row row)
    {
        json.WriteStartObject();
        json.WriteString("name", row.Name);
        json.WriteString("kind", row.Kind switch { RowKind.Program => "program", RowKind.Floor => "floor", _ => "baseline" });
        if (row.Size is { } size)
            json.WriteNumber("size", size);
        json.WriteStartObject("figures");
        foreach (var figure in row.Figures)
        {
            json.WriteStartObject(figure.Name);
            json.WriteString("unit", figure.Unit);
            json.WriteNumber("median", figure.Median);
            json.WriteNumber("lowest", figure.Lowest);
            json.WriteNumber("highest", figure.Highest);
            json.WriteStartArray("rounds");
            foreach (var round in figure.Rounds)
                json.WriteNumberValue(round);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();
        foreach (var (name, text) in row.Remarks)
            json.WriteString(name, text);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
