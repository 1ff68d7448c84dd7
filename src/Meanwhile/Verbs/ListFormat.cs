using System.Text.Encodings.Web;
using System.Text.Json;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>How verbs list what a file holds: a table for people, or JSON Lines for programs.</summary>
internal static class ListFormat
{
    public static readonly Setting<bool> AsJson = new("--format", null, "table", "table|json", "a table, or JSON Lines", Parse);

    /// <summary>A text in JSON.</summary>
    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    private static bool Parse(string text) => text switch
    {
        "table" => false,
        "json" => true,
        _ => throw new FormatException("table or json"),
    };
}
