using System.Buffers;
using System.Text;

namespace Meanwhile;

/// <summary>Texts in comma-separated values (RFC 4180). What is written here reads back as what it was.</summary>
internal static class Csv
{
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    /// <summary>
    /// Writes a text as a field. Spreadsheets take one that begins like a formula for one, and whoever may publish chooses topics: an apostrophe before it makes a
    /// text of it.
    /// </summary>
    public static string Quote(string text)
    {
        var quoted = IsLikeFormula(text) ? "'" + text : text;
        return quoted.AsSpan().IndexOfAny(NeedQuotes) < 0 ? quoted : $"\"{quoted.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>Takes off the apostrophe that <see cref="Quote"/> has put before a text.</summary>
    public static string WithoutApostrophe(string text) => text is ['\'', ..] && IsLikeFormula(text) ? text[1..] : text;

    /// <summary>Takes a line apart.</summary>
    /// <param name="fields">Where its fields go, without their quotes.</param>
    public static void Split(string line, char delimiter, List<string> fields)
    {
        fields.Clear();
        var (field, isQuoted) = (new StringBuilder(), false);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && isQuoted && i + 1 < line.Length && line[i + 1] == '"')
                field.Append(line[++i]);
            else if (line[i] == '"')
                isQuoted = !isQuoted;
            else if (line[i] == delimiter && !isQuoted)
                AddField();
            else
                field.Append(line[i]);
        }
        AddField();

        void AddField()
        {
            fields.Add(field.ToString());
            field.Clear();
        }
    }

    // Also behind apostrophes that are the text's own: else nobody could tell them from ours.
    private static bool IsLikeFormula(string text) => text.AsSpan().TrimStart('\'') is ['=' or '+' or '-' or '@' or '\t' or '\r', ..];
}
