using Microsoft.Extensions.Logging;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Hears when the network can accept nobody any more: it says so in a log and nowhere else.</summary>
/// <param name="failed">Told why.</param>
internal sealed class ListenerLog(Action<Exception> failed) : ILoggerProvider, ILogger
{
    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Critical;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel) || exception is null)
            return;
        try
        {
            failed(new IOException($"{formatter(state, exception)} ({exception.GetType().Name}: {exception.Message})", exception));
        }
        catch (OutOfMemoryException)
        {
            failed(exception); // There is no memory to say more.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // There is nothing to it.
    }
}
