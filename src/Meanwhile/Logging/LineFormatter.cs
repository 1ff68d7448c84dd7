using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Meanwhile.Logging;

/// <summary>One line an event.</summary>
internal abstract class LineFormatter(string name, LogDiversion diversion) : ConsoleFormatter(name)
{
    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var text = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var line = Line(new LogEvent(logEntry.LogLevel, logEntry.EventId.Name ?? "", text, logEntry.State as IReadOnlyList<KeyValuePair<string, object?>> ?? []));
        if (!diversion.Takes(text, line))
            textWriter.Write(line);
    }

    /// <summary>The line, with its end.</summary>
    protected abstract string Line(LogEvent logEvent);
}

/// <summary>What is known of an event.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Name">Its name, as in <see cref="Log"/>.</param>
/// <param name="Text">What is said.</param>
/// <param name="Fields">What it is said of.</param>
internal readonly record struct LogEvent(LogLevel Level, string Name, string Text, IReadOnlyList<KeyValuePair<string, object?>> Fields);
