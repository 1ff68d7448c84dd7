using System.Text;

namespace Meanwhile.Logging;

/// <summary>
/// Texts on their way to standard output or standard error. Nobody ever waits for the reader: when there are too many of them, the oldest are dropped and counted.
/// </summary>
internal sealed class OutputQueue
{
    private const int MostTexts = 10_000;
    private const int MostCharacters = 4 << 20;
    private const int Portion = 32 << 10;

    private readonly object _gate = new(); // Monitor.Wait has no Lock.
    private readonly Queue<string> _texts = new();
    private readonly int _handle;
    private readonly Func<long, string> _gap;
    private readonly bool _goesOn;
    private int _characters;
    private long _dropped;
    private int _inHand;
    private bool _isComplete;

    /// <summary>An empty queue.</summary>
    /// <param name="handle">As in <see cref="StandardHandle"/>.</param>
    /// <param name="gap">Called when it writes again after some were dropped, with their number: returns what is written in their place.</param>
    /// <param name="goesOn">What cannot be written is counted as dropped, rather than ending it.</param>
    public OutputQueue(int handle, Func<long, string> gap, bool goesOn = false)
    {
        (_handle, _gap, _goesOn) = (handle, gap, goesOn);
        Writing = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Ends when all is written after <see cref="Complete"/>, or with an <see cref="OutputException"/>; not before a reader who sleeps.</summary>
    public Task Writing { get; }

    /// <summary>How many were dropped and not yet told of, or are not written.</summary>
    public long Missing
    {
        get
        {
            lock (_gate)
                return _dropped + _inHand + _texts.Count;
        }
    }

    /// <summary>Adds a text. From any thread.</summary>
    public void Add(string text)
    {
        lock (_gate)
        {
            _texts.Enqueue(text);
            _characters += text.Length;
            for (; _texts.Count > MostTexts || (_characters > MostCharacters && _texts.Count > 1); _dropped++)
                _characters -= _texts.Dequeue().Length;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>There will be no more.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Write()
    {
        while (Take() is { Length: > 0 } portion)
        {
            try
            {
                StandardHandle.Write(_handle, portion);
                _inHand = 0;
            }
            catch (OutputException) when (_goesOn)
            {
                lock (_gate)
                    (_dropped, _inHand) = (_dropped + _inHand, 0); // A full disk may have room again.
            }
        }
    }

    // Waits for some; nothing at the end.
    private byte[] Take()
    {
        var portion = new StringBuilder();
        lock (_gate)
        {
            while (_texts.Count == 0 && !_isComplete)
                Monitor.Wait(_gate);
            if (_dropped > 0 && _texts.Count > 0)
                portion.Append(_gap(_dropped));
            _dropped = 0;
            for (; portion.Length < Portion && _texts.TryDequeue(out var text); _inHand++)
            {
                _characters -= text.Length;
                portion.Append(text);
            }
        }
        return Console.OutputEncoding.GetBytes(portion.ToString());
    }
}
