using System.Threading.Tasks.Sources;

namespace Meanwhile.Mqtt.Session;

/// <summary>Wakes one waiter, without allocating. Set before the wait, it is remembered; set twice, it is as good as once.</summary>
internal sealed class Signal : IValueTaskSource
{
    private const int Idle = 0;
    private const int IsSet = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Wakes the waiter, now or when it comes to wait: it finds what was written before.</summary>
    public void Set()
    {
        // A processor may read before what it has written can be seen. It would find a signal that is being taken still set, and the taker would not find what it has written.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _state) != IsSet && Interlocked.Exchange(ref _state, IsSet) == Waiting)
            _core.SetResult(true);
    }

    /// <summary>Waits until it is set; one at a time.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, IsSet) == IsSet)
            return ValueTask.CompletedTask;
        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
            return new ValueTask(this, _core.Version);
        Interlocked.Exchange(ref _state, Idle); // It was set meanwhile.
        return ValueTask.CompletedTask;
    }

    void IValueTaskSource.GetResult(short token)
    {
        Interlocked.Exchange(ref _state, Idle); // Before the waiter reads anything.
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
