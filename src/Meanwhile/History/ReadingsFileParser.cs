using System.Globalization;
using System.Text;
using System.Text.Json;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Pipeline;
using Meanwhile.Stores;

namespace Meanwhile.History;

/// <summary>Understands the lines of a file of readings.</summary>
internal sealed class ReadingsFileParser
{
    private static readonly string[] Names = ["topic", "number", "epochtime"];

    // A line may be as long as a record, and nested as deep as it is long.
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = RecordReader.Longest };

    private readonly RecordReader _records;
    private readonly DataFormat _format;
    private readonly int[] _columns = [0, 1, 2];
    private readonly List<string> _fields = [];
    private readonly DecimalSign _numbersSign = new();
    private readonly DecimalSign _timesSign = new();
    private char _delimiter = ',';
    private string? _topic;

    private ReadingsFileParser(RecordReader records, DataFormat format) => (_records, _format) = (records, format);

    /// <summary>A parser of a file whose first line, which has the names of the columns in CSV, was read.</summary>
    /// <param name="format">What it is; null to find out.</param>
    /// <exception cref="UserException">It is no such file: a name is missing, or it is not UTF-8.</exception>
    public static async Task<ReadingsFileParser> BeginAsync(RecordReader records, DataFormat? format, CancellationToken cancellationToken)
    {
        var parser = new ReadingsFileParser(records, await records.BeginAsync(format, cancellationToken));
        ReadOnlyMemory<byte>? first = ReadOnlyMemory<byte>.Empty;
        while (parser._format == DataFormat.Csv && first is { IsEmpty: true })
            first = await records.NextAsync(cancellationToken);
        if (first is { IsEmpty: false } names)
            parser.ReadNames(names.Span);
        return parser;
    }

    /// <summary>Understands the line that was read last.</summary>
    /// <param name="reason">Why it is no reading; null when it is one.</param>
    /// <exception cref="UserException">With this line the whole file has no meaning.</exception>
    public bool TryParse(ReadOnlyMemory<byte> line, out Reading reading, out string? reason)
    {
        reading = default;
        reason = Utf8Text.FaultOf(line.Span, _records.Line)
            ?? (_format == DataFormat.Json ? ParseJson(line, out reading) : ParseCsv(line.Span, out reading));
        return reason is null;
    }

    private string? ParseJson(ReadOnlyMemory<byte> line, out Reading reading)
    {
        reading = default;
        string? topic = null;
        try
        {
            using var document = JsonDocument.Parse(line[^Utf8Text.WithoutMark(line.Span).Length..], AnyDepth); // Files with marks may have been put one behind the other.
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
        Csv.Split(Encoding.UTF8.GetString(line), _delimiter, _fields);
        if (_fields.Count <= _columns.Max())
            return $"{_fields.Count} columns, expected at least {_columns.Max() + 1}";
        var (topic, number, time) = (Csv.WithoutApostrophe(_fields[_columns[0]]), _fields[_columns[1]], _fields[_columns[2]]);
        if (_delimiter == ';')
            (number, time) = (_numbersSign.WithPoint(number, _records.Line), _timesSign.WithPoint(time, _records.Line));
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
        _topic = _topic == topic ? _topic : topic;
        reading = new Reading(_topic, time, value);
        return null;
    }

    private void ReadNames(ReadOnlySpan<byte> line)
    {
        if (Utf8Text.FaultOf(line, _records.Line) is { } fault)
            throw new UserException($"{fault}: expected a file in UTF-8");
        var text = Encoding.UTF8.GetString(line);
        var (unlikely, likely) = text.Contains(',', StringComparison.Ordinal) ? (';', ',') : (',', ';');
        if (!TryFindColumns(text, unlikely) && !TryFindColumns(text, likely))
        {
            var missing = Names[Array.FindIndex(_columns, column => column < 0)];
            throw new UserException($"line {_records.Line} names no column '{missing}': expected topic,number,epochtime as meanwhile export writes them (--format says what the file is)");
        }
    }

    private bool TryFindColumns(string line, char delimiter)
    {
        Csv.Split(line, _delimiter = delimiter, _fields);
        for (var i = 0; i < Names.Length; i++)
            _columns[i] = _fields.IndexOf(Names[i]);
        return Array.TrueForAll(_columns, column => column >= 0);
    }
}
