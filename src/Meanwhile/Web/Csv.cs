using System.Buffers;

namespace Meanwhile.Web;

/// <summary>Texts in comma-separated values (RFC 4180).</summary>
internal static class Csv
{
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    /// <summary>
    /// Quotes a text where that is needed. Spreadsheets take one that begins like a formula for one, and whoever may publish chooses topics: an apostrophe before
    /// it makes a text of it.
    /// </summary>
    public static string Quote(string text)
    {
        var isFormula = text is ['=' or '+' or '-' or '@' or '\t' or '\r', ..];
        var quoted = isFormula ? "'" + text : text;
        return quoted.AsSpan().IndexOfAny(NeedQuotes) < 0 ? quoted : $"\"{quoted.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
