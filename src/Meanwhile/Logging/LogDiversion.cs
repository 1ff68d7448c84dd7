namespace Meanwhile.Logging;

/// <summary>Takes log lines aside while something else has the terminal.</summary>
/// <param name="write">Where they go otherwise.</param>
internal sealed class LogDiversion(Action<string> write)
{
    private volatile Func<string, string, bool>? _take;

    /// <summary>From now on, and until what it returns is disposed, lines are offered to somebody.</summary>
    /// <param name="take">Gets the text, and the whole line with its end; returns whether it takes care of it. Called from any thread.</param>
    public IDisposable Divert(Func<string, string, bool> take)
    {
        _take = take;
        return new Undo(this);
    }

    /// <summary>Hands a line to whoever takes care of it.</summary>
    public void Write(string text, string line)
    {
        if (_take?.Invoke(text, line) != true)
            write(line);
    }

    /// <summary>Hands a line on that was taken aside.</summary>
    public void Release(string line) => write(line);

    private sealed class Undo(LogDiversion diversion) : IDisposable
    {
        public void Dispose() => diversion._take = null;
    }
}
