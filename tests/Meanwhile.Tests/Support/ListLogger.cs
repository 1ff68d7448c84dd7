using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Tests.Support;

/// <summary>A log that the test reads.</summary>
internal sealed class ListLogger : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>What it says so far.</summary>
    public IEnumerable<string> Lines => _lines;

    /// <summary>Waits until a line says something.</summary>
    public Task SaysAsync(string text) =>
        Until.TrueAsync(() => _lines.Any(line => line.Contains(text, StringComparison.Ordinal)), () => $"'{text}' is not in: {string.Join('\n', _lines)}");

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(formatter(state, exception));
}
