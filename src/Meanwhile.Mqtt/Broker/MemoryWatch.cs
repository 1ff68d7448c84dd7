namespace Meanwhile.Mqtt.Broker;

/// <summary>Whether the process takes more memory than it may. It is looked at from time to time, so that messages need not be weighed one by one.</summary>
/// <param name="limit">In bytes.</param>
/// <param name="setAside">What does not count, in bytes.</param>
internal sealed class MemoryWatch(long limit, Func<long> setAside)
{
    private volatile bool _isFull;
    private bool _wasFull;

    /// <summary>Nothing more is to be taken in that would have to wait.</summary>
    public bool IsFull => _isFull;

    /// <summary>Looks. What is only garbage is collected until the next time, and does not count then.</summary>
    public void Look()
    {
        var isFull = GC.GetTotalMemory(forceFullCollection: false) - setAside() > limit;
        if (isFull)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        _isFull = isFull && _wasFull;
        _wasFull = isFull;
    }
}
