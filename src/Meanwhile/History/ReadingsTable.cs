using System.Globalization;
using System.Text;
using System.Text.Json;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Pipeline;
using Meanwhile.Stores;

namespace Meanwhile.History;

/// <summary>Understands the lines of a file of readings.</summary>
internal sealed class ReadingsTable
{
    private static readonly string[] Names = ["topic", "number", "epochtime"];

    // A line may be as long as a record, and nested as deep as it is long.
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = Records.Longest };

    private readonly DataFormat _format;
    private readonly int[] _columns = [0, 1, 2];
    private readonly List<string> _fields = [];
    private string? _topic;

    private ReadingsTable(DataFormat format) => _format = format;

    /// <summary>A table whose first line, which has the names of the columns in CSV, was read.</summary>
    /// <exception cref="UserException">A name is missing.</exception>
    public static async Task<ReadingsTable> BeginAsync(Records records, DataFormat format, CancellationToken cancellationToken)
    {
        var table = new ReadingsTable(format);
        if (format == DataFormat.Csv && await records.NextAsync(cancellationToken) is { } first)
            table.ReadNames(first.Span);
        return table;
    }

    /// <summary>Understands a line.</summary>
    /// <param name="reason">Why it is no reading; null when it is one.</param>
    public bool TryParse(ReadOnlyMemory<byte> line, out Reading reading, out string? reason)
    {
        reading = default;
        reason = _format == DataFormat.Json ? ParseJson(line, out reading) : ParseCsv(line.Span, out reading);
        return reason is null;
    }

    private string? ParseJson(ReadOnlyMemory<byte> line, out Reading reading)
    {
        reading = default;
        string? topic = null;
        try
        {
            using var document = JsonDocument.Parse(line, AnyDepth);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } members && members.TryGetProperty("topic", out var member) && member.ValueKind == JsonValueKind.String)
                topic = member.GetString();
        }
        catch (JsonException)
        {
            return "not valid JSON";
        }
        catch (InvalidOperationException)
        {
            return Topic.FaultOf("\uD800"); // Escapes can say what is no text.
        }
        if (topic is null)
            return "no topic at /topic";
        if (!ReadingParser.Default.TryParse(line.Span, arrival: 0, out var found, out var reason))
            return reason;
        return Check(topic, found.Time, found.Value, out reading);
    }

    private string? ParseCsv(ReadOnlySpan<byte> line, out Reading reading)
    {
        reading = default;
        Split(line);
        if (_fields.Count <= _columns.Max())
            return $"{_fields.Count} columns, expected at least {_columns.Max() + 1}";
        var (topic, number, time) = (_fields[_columns[0]], _fields[_columns[1]], _fields[_columns[2]]);
        if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            return $"'{number}' is not a number";
        if (!EventTime.TryParse(Encoding.UTF8.GetBytes(time), out var milliseconds))
            return $"'{time}' is neither seconds since 1970 nor an ISO 8601 time with a zone";
        return Check(topic, milliseconds, value, out reading);
    }

    private string? Check(string topic, long time, double value, out Reading reading)
    {
        reading = default;
        if (!double.IsFinite(value))
            return "its number is not finite";
        if (_topic != topic && Topic.FaultOf(topic) is { } fault)
            return fault;
        _topic = topic;
        reading = new Reading(_topic, time, value);
        return null;
    }

    private void ReadNames(ReadOnlySpan<byte> line)
    {
        Split(line.StartsWith("\uFEFF"u8) ? line[3..] : line);
        for (var i = 0; i < Names.Length; i++)
        {
            _columns[i] = _fields.IndexOf(Names[i]);
            if (_columns[i] < 0)
                throw new UserException($"line 1 names no column '{Names[i]}': expected topic,number,epochtime as meanwhile export writes them (--format says what the file is)");
        }
    }

    private void Split(ReadOnlySpan<byte> line)
    {
        _fields.Clear();
        var (field, isQuoted) = (new StringBuilder(), false);
        var text = Encoding.UTF8.GetString(line);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' && isQuoted && i + 1 < text.Length && text[i + 1] == '"')
                field.Append(text[++i]);
            else if (text[i] == '"')
                isQuoted = !isQuoted;
            else if (text[i] == ',' && !isQuoted)
                AddField();
            else
                field.Append(text[i]);
        }
        AddField();

        void AddField()
        {
            _fields.Add(field.ToString());
            field.Clear();
        }
    }
}
