namespace Meanwhile.Feeds;

/// <summary>Bounds the bytes that are held by those who take from it and have not given back yet. One taker at a time.</summary>
/// <param name="limit">In all. A single one that is larger has to wait until nothing else is held.</param>
internal sealed class ByteBudget(long limit)
{
    private readonly Lock _gate = new();
    private long _held;
    private long _wanted;
    private TaskCompletionSource? _waiting;

    /// <summary>Waits until there is room for so many bytes, and takes it.</summary>
    public ValueTask TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (TryTake(bytes))
                return ValueTask.CompletedTask;
            _wanted = bytes;
            _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return WaitAsync(_waiting, cancellationToken);
    }

    /// <summary>Gives bytes back that were taken.</summary>
    public void Give(long bytes)
    {
        lock (_gate)
        {
            _held -= bytes;
            if (_waiting is null || !TryTake(_wanted))
                return;
            _waiting.SetResult();
            _waiting = null;
        }
    }

    private bool TryTake(long bytes)
    {
        if (_held > 0 && _held + bytes > limit)
            return false;
        _held += bytes;
        return true;
    }

    private async ValueTask WaitAsync(TaskCompletionSource waiting, CancellationToken cancellationToken)
    {
        try
        {
            await waiting.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                if (_waiting == waiting)
                    _waiting = null;
                else
                    _held -= _wanted; // It was taken in the same moment.
            }
            throw;
        }
    }
}
