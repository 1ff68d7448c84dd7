namespace Meanwhile.Mqtt.Broker;

/// <summary>What some connections may hold together. Under the lock of <see cref="Admission"/>.</summary>
/// <param name="mostHolders">How many of them.</param>
/// <param name="mostBytes">What, in bytes.</param>
internal sealed class Budget(int mostHolders, long mostBytes)
{
    private readonly LinkedList<Visitor> _holders = new();
    private long _held;

    /// <summary>Who came first; null when nobody is here.</summary>
    public Visitor? Oldest => _holders.First?.Value;

    /// <summary>All of them.</summary>
    public IEnumerable<Visitor> All => _holders;

    /// <summary>They are too many, or hold too much.</summary>
    public bool IsOver => _holders.Count > mostHolders || _held > mostBytes;

    /// <summary>Somebody holds so much; whoever is here already keeps its place.</summary>
    public void Put(Visitor visitor, long bytes)
    {
        if (visitor.Budget != this)
            _holders.AddLast(visitor.Place);
        _held += bytes - visitor.Held;
        (visitor.Budget, visitor.Held) = (this, bytes);
    }

    /// <summary>It holds nothing any more.</summary>
    public void Remove(Visitor visitor)
    {
        _holders.Remove(visitor.Place);
        _held -= visitor.Held;
        (visitor.Budget, visitor.Held) = (null, 0);
    }
}
