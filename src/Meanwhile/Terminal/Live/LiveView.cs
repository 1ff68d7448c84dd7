using Meanwhile.Logging;

namespace Meanwhile.Terminal.Live;

/// <summary>
/// The live view on a terminal: at most ten frames a second, however fast results come. They are taken in from any thread, and never wait for the terminal.
/// </summary>
internal sealed class LiveView(LiveModel model, LogDiversion log, TimeProvider time)
{
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ClockTime = TimeSpan.FromSeconds(1); // Ages are shown in seconds.

    private readonly Lock _gate = new();
    private readonly HeldLines _held = new();
    private bool _hasChanged = true;
    private (long At, (int Width, int Height) Size) _drawn;

    /// <summary>Takes a result in.</summary>
    public void Add(string topic, IReadOnlyList<StatsMember> result)
    {
        lock (_gate)
        {
            model.Add(topic, result);
            _hasChanged = true;
        }
    }

    /// <summary>Takes in whether results arrive.</summary>
    public void Connect(bool isConnected)
    {
        lock (_gate)
        {
            model.Connect(isConnected);
            _hasChanged = true;
        }
    }

    /// <summary>Shows it until the user leaves or it is told to stop, and gives the terminal back.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            using var diverted = log.Divert(Hold);
            using var screen = new Screen(ending.Cancel, time, ending.Token);
            using var timer = new PeriodicTimer(FrameTime, time);
            do
                Draw(screen);
            while (!HeedKeys() && await timer.WaitForNextTickAsync(ending.Token));
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }
        catch (IOException)
        {
            // The terminal is gone, and whoever looked at it.
        }
        finally
        {
            _held.Release(log.Release);
        }
    }

    // On a terminal lines would tear the screen: they wait until it is given back. In a file they are at once.
    private bool Hold(string text, string line)
    {
        lock (_gate)
        {
            model.Say(text);
            _hasChanged = true;
        }
        if (Console.IsErrorRedirected)
            return false;
        _held.Add(line);
        return true;
    }

    // Whether the user wants to leave, or has gone.
    private bool HeedKeys()
    {
        while (Screen.TryReadKey(out var key))
        {
            if (EndOfInput.IsIt(key))
                return true;
            lock (_gate)
            {
                model.Press(key);
                _hasChanged = true;
                if (model.IsOver)
                    return true;
            }
        }
        return false;
    }

    private void Draw(Screen screen)
    {
        var size = Screen.Size;
        LivePage page;
        lock (_gate)
        {
            if (!_hasChanged && size == _drawn.Size && time.GetElapsedTime(_drawn.At) < ClockTime)
                return;
            page = model.Page(size.Height - LiveFrame.OtherLines);
            (_hasChanged, _drawn) = (false, (time.GetTimestamp(), size));
        }
        screen.Draw(new LiveFrame(page, size.Width, size.Height), size);
    }
}
