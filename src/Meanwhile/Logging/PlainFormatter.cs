using Microsoft.Extensions.Logging;

namespace Meanwhile.Logging;

/// <summary>For people: time in UTC, a level where it is not plain information, the text.</summary>
internal sealed class PlainFormatter(TimeProvider time) : LineFormatter
{
    public const string FormatterName = "plain";

    /// <summary>Topics and payloads are strangers' bytes: they must neither start a line of their own nor steer the terminal, or turn the direction of what stands there.</summary>
    public static string OneLine(string text) =>
        !text.Any(Steers)
            ? text
            : string.Create(text.Length, text, (to, from) =>
            {
                for (var i = 0; i < to.Length; i++)
                    to[i] = Steers(from[i]) ? '\uFFFD' : from[i];
            });

    /// <inheritdoc/>
    public override string Line(in LogEvent logEvent)
    {
        var level = logEvent.Level switch
        {
            LogLevel.Critical or LogLevel.Error => "error: ",
            LogLevel.Warning => "warning: ",
            _ => "",
        };
        return $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {level}{OneLine(logEvent.Text)}\n";
    }

    private static bool Steers(char c) => char.IsControl(c) || c is '\u061C' or '\u200E' or '\u200F' or (>= '\u2028' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
