using Microsoft.Extensions.Logging;

namespace Meanwhile.Logging;

/// <summary>One line an event.</summary>
internal abstract class LineFormatter
{
    /// <summary>The line, with its end.</summary>
    public abstract string Line(in LogEvent logEvent);
}

/// <summary>What is known of an event.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Name">Its name, as in <see cref="Log"/>.</param>
/// <param name="Text">What is said.</param>
/// <param name="Fields">What it is said of.</param>
internal readonly record struct LogEvent(LogLevel Level, string Name, string Text, IReadOnlyList<KeyValuePair<string, object?>> Fields);
