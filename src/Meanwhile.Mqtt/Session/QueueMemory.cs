namespace Meanwhile.Mqtt.Session;

/// <summary>The memory of messages that wait in the queues of all sessions together. A message that waits in many counts once.</summary>
/// <param name="most">From here on, long queues get no longer; in bytes.</param>
internal sealed class QueueMemory(long most)
{
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
}
