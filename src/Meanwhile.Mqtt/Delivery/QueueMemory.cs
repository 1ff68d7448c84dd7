namespace Meanwhile.Mqtt.Delivery;

/// <summary>The memory of messages that wait in the queues of all sessions together. A message that waits in many counts once, beside its places there.</summary>
/// <param name="most">From here on, long queues get no longer; in bytes.</param>
internal sealed class QueueMemory(long most)
{
    // What a message costs in each queue, about.
    private const int PlaceSize = 128;

    private long _held;

    /// <summary>Only short queues may get longer.</summary>
    public bool IsTight => Held >= most;

    /// <summary>What is held, in bytes, about.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>A message waits in one more queue.</summary>
    public void Add(Message message)
    {
        if (message.Enter())
            Interlocked.Add(ref _held, message.Size);
    }

    /// <summary>It waits in one queue less.</summary>
    public void Remove(Message message)
    {
        if (message.Leave())
            Interlocked.Add(ref _held, -message.Size);
    }

    /// <summary>So many more places in queues are taken, or fewer.</summary>
    public void AddPlaces(int count) => Interlocked.Add(ref _held, count * (long)PlaceSize);
}

/// <summary>What one queue takes, and its part of the memory of all.</summary>
/// <param name="memory">That of all queues; null where it is not limited.</param>
internal sealed class QueueShare(QueueMemory? memory)
{
    // Places are counted so many at a time, because the counter is one for all queues, and a message may have a place in thousands.
    private const int CountedAtOnce = 16;

    private int _uncounted;

    /// <summary>What the queue takes, in bytes, about.</summary>
    public long Bytes { get; private set; }

    /// <summary>A message has come into the queue.</summary>
    public void Add(in Outgoing outgoing)
    {
        Bytes += outgoing.Size;
        memory?.Add(outgoing.Message);
        Count(1);
    }

    /// <summary>A message has left it.</summary>
    public void Remove(in Outgoing outgoing)
    {
        Bytes -= outgoing.Size;
        memory?.Remove(outgoing.Message);
        Count(-1);
    }

    /// <summary>Counts what is not counted yet: to be called when the queue is empty for good.</summary>
    public void Settle()
    {
        memory?.AddPlaces(_uncounted);
        _uncounted = 0;
    }

    private void Count(int more)
    {
        _uncounted += more;
        if (Math.Abs(_uncounted) >= CountedAtOnce)
            Settle();
    }
}
