using System.Threading.Channels;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Bounds the bytes that are held by those who take from it and have not given back yet. Who waits is served in turn.</summary>
/// <param name="limit">In all. A single one that is larger has to wait until nothing else is held.</param>
internal sealed class ByteBudget(long limit)
{
    private readonly Lock _gate = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Taken)> _waiting = new();
    private long _held;
    private bool _isStopped;

    /// <summary>Waits until there is room for so many bytes, and takes it.</summary>
    /// <exception cref="ChannelClosedException">Nothing is to be taken any more.</exception>
    public ValueTask TakeAsync(long bytes)
    {
        lock (_gate)
        {
            if (_isStopped)
                return ValueTask.FromException(new ChannelClosedException());
            if (_waiting.Count == 0 && TryTake(bytes))
                return ValueTask.CompletedTask;
            var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((bytes, taken));
            return new ValueTask(taken.Task);
        }
    }

    /// <summary>Gives bytes back that were taken.</summary>
    public void Give(long bytes)
    {
        lock (_gate)
        {
            _held -= bytes;
            while (_waiting.TryPeek(out var next) && TryTake(next.Bytes))
                _waiting.Dequeue().Taken.SetResult();
        }
    }

    /// <summary>Sends away who waits.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _isStopped = true;
            while (_waiting.TryDequeue(out var next))
                next.Taken.SetException(new ChannelClosedException());
        }
    }

    private bool TryTake(long bytes)
    {
        if (_held > 0 && _held + bytes > limit)
            return false;
        _held += bytes;
        return true;
    }
}
