using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Meanwhile.Logging;

/// <summary>For programs: a JSON object an event, with its fields as they are in <see cref="Log"/>.</summary>
internal sealed class JsonFormatter(TimeProvider time) : LineFormatter
{
    public const string FormatterName = "json";

    // Nobody puts it into a page; control characters are escaped all the same.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // As the logging library names the message with its places.
    private const string Template = "{OriginalFormat}";

    /// <inheritdoc/>
    public override string Line(in LogEvent logEvent)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'}");
            json.WriteString("level", $"{logEvent.Level}".ToLowerInvariant());
            json.WriteString("event", logEvent.Name);
            json.WriteString("message", logEvent.Text);
            json.WriteStartObject("fields");
            foreach (var (name, value) in logEvent.Fields)
            {
                if (name != Template && value is not "")
                    Write(json, JsonNamingPolicy.CamelCase.ConvertName(name), value);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void Write(Utf8JsonWriter json, string name, object? value)
    {
        if (value is int or long)
            json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
        else if (value is DateTime time)
            json.WriteString(name, time);
        else
            json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
    }
}
