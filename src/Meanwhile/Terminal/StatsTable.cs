using System.Text;
using System.Text.Json;
using Meanwhile.Logging;

namespace Meanwhile.Terminal;

/// <summary>The seed's table of one result: names, rules, numbers.</summary>
internal static class StatsTable
{
    private const string Gap = "  ";

    /// <summary>Reads a result and lays it out. A null, which is a mean of nothing, leaves its place empty.</summary>
    /// <param name="payload">A JSON object of numbers and nulls.</param>
    /// <param name="table">Three lines, each with its line end.</param>
    /// <param name="reason">Why it is no result; null when it is one.</param>
    public static bool TryFormat(ReadOnlySpan<byte> payload, out string table, out string? reason)
    {
        table = "";
        List<(string Name, string Cell, int Width)> columns = [];
        try
        {
            reason = Read(payload, columns);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter for a name that is no text.
        {
            reason = "not valid JSON";
        }
        if (reason is not null)
            return false;

        table = Line(columns, c => c.Name) + Line(columns, c => new string('-', c.Width)) + Line(columns, c => c.Cell);
        return true;
    }

    private static string? Read(ReadOnlySpan<byte> payload, List<(string Name, string Cell, int Width)> columns)
    {
        var reader = new Utf8JsonReader(payload);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return "not a JSON object";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = PlainFormatter.OneLine(reader.GetString()!);
            reader.Read();
            double number = 0;
            var isNumber = reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out number) && double.IsFinite(number);
            if (!isNumber && reader.TokenType != JsonTokenType.Null)
                return "a member is neither a number nor null";
            var cell = isNumber ? GeneralFormat.Format(number) : "";
            columns.Add((name, cell, Math.Max(name.Length + Gap.Length, cell.Length)));
        }
        reader.Read();
        return columns.Count == 0 ? "an empty JSON object" : null;
    }

    private static string Line(List<(string Name, string Cell, int Width)> columns, Func<(string Name, string Cell, int Width), string> text)
    {
        var line = new StringBuilder();
        foreach (var column in columns)
            line.Append(line.Length == 0 ? "" : Gap).Append(text(column).PadLeft(column.Width));
        return line.ToString().TrimEnd() + "\n";
    }
}
