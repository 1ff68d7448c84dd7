namespace Meanwhile.Logging;

/// <summary>Takes log lines aside while something else has the terminal.</summary>
internal sealed class LogDiversion
{
    private volatile Func<string, string, bool>? _take;

    /// <summary>From now on, and until what it returns is disposed, lines are offered to somebody.</summary>
    /// <param name="take">Gets the text, and the whole line with its end; returns whether it takes care of it. Called from any thread.</param>
    public IDisposable Divert(Func<string, string, bool> take)
    {
        _take = take;
        return new Undo(this);
    }

    /// <summary>Whether somebody takes care of a line.</summary>
    public bool Takes(string text, string line) => _take?.Invoke(text, line) == true;

    private sealed class Undo(LogDiversion diversion) : IDisposable
    {
        public void Dispose() => diversion._take = null;
    }
}
