namespace Meanwhile.Terminal.Live;

/// <summary>Lines of the log that wait until the screen is given back; the newest, when there are too many.</summary>
internal sealed class HeldLines
{
    private const int Most = 1000;
    private readonly Queue<string> _lines = new();
    private long _leftOut;

    /// <summary>Adds one, with its line end. From any thread.</summary>
    public void Add(string line)
    {
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count <= Most)
                return;
            _lines.Dequeue();
            _leftOut++;
        }
    }

    /// <summary>Hands them on, and holds them no longer.</summary>
    public void Release(Action<string> write)
    {
        lock (_lines)
        {
            if (_leftOut > 0)
                write($"... {_leftOut} earlier lines are left out\n");
            while (_lines.TryDequeue(out var line))
                write(line);
            _leftOut = 0;
        }
    }
}
