using Microsoft.Extensions.Logging;

namespace Meanwhile.Logging;

/// <summary>Makes a line of each event. Whoever logs never waits.</summary>
/// <param name="least">What is less is not said.</param>
/// <param name="formatter">Writes the line.</param>
/// <param name="output">Where it goes.</param>
internal sealed class LineLogger(LogLevel least, LineFormatter formatter, LogDiversion output) : ILogger
{
    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> describe)
    {
        if (!IsEnabled(logLevel))
            return;
        var text = describe(state, exception);
        output.Write(text, formatter.Line(new LogEvent(logLevel, eventId.Name ?? "", text, state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])));
    }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}
