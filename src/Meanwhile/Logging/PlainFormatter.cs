using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Meanwhile.Logging;

/// <summary>One line an event: time in UTC, a level where it is not plain information, the text.</summary>
internal sealed class PlainFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "plain";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var level = logEntry.LogLevel switch
        {
            LogLevel.Critical or LogLevel.Error => "error: ",
            LogLevel.Warning => "warning: ",
            _ => "",
        };
        var text = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write($"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {level}{OneLine(text)}\n");
    }

    /// <summary>Topics and payloads are strangers' bytes: they must neither start a line of their own nor steer the terminal.</summary>
    public static string OneLine(string text) =>
        !text.Any(char.IsControl)
            ? text
            : string.Create(text.Length, text, (to, from) =>
            {
                for (var i = 0; i < to.Length; i++)
                    to[i] = char.IsControl(from[i]) ? '\uFFFD' : from[i];
            });
}
