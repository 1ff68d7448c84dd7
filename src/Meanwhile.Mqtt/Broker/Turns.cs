using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Meanwhile.Mqtt.Broker;

/// <summary>
/// Work that takes turns, so that it never fills the thread pool's queue: at most half of the processors do it, and between two turns those who wait for the pool
/// come first. Without this, a client that publishes would wait for a thousand connections that want to log in.
/// </summary>
internal sealed class Turns : IThreadPoolWorkItem
{
    private static readonly int Most = Math.Max(1, Environment.ProcessorCount / 2);

    private readonly ConcurrentQueue<Action> _waiting = new();
    private int _running;

    /// <summary>What awaits it goes on when it is its turn.</summary>
    public Turn Next() => new(this);

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute()
    {
        if (_waiting.TryDequeue(out var work))
            work();
        if (!_waiting.IsEmpty)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return;
        }
        Interlocked.Decrement(ref _running);
        if (!_waiting.IsEmpty) // It came in between.
            Start();
    }

    private void Add(Action work)
    {
        _waiting.Enqueue(work);
        Start();
    }

    private void Start()
    {
        if (Interlocked.Increment(ref _running) <= Most)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else if (Interlocked.Decrement(ref _running) < Most && !_waiting.IsEmpty) // One has ended meanwhile, and may not have seen this.
            Start();
    }

    /// <summary>To be awaited.</summary>
    internal readonly struct Turn(Turns turns) : ICriticalNotifyCompletion
    {
        /// <summary>It is always waited for.</summary>
        public bool IsCompleted => false;

        public Turn GetAwaiter() => this;

        public void GetResult()
        {
            // There is none.
        }

        /// <inheritdoc/>
        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        /// <inheritdoc/>
        public void UnsafeOnCompleted(Action continuation) => turns.Add(continuation);
    }
}
