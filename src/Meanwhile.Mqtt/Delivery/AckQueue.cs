namespace Meanwhile.Mqtt.Delivery;

/// <summary>Acknowledgements that are owed on one connection, in the order of receipt; each leaves when it is finished and all before it have left.</summary>
internal sealed class AckQueue
{
    private const int Smallest = 4;

    // A ring: the one with number n lies at n modulo the length, which is a power of two.
    private Entry[] _entries = [];
    private long _first;
    private long _next;

    /// <summary>How many there are.</summary>
    public int Count => (int)(_next - _first);

    /// <summary>All of them, in order, but for those that are withdrawn.</summary>
    public IEnumerable<Acknowledgement> All
    {
        get
        {
            for (var number = _first; number < _next; number++)
            {
                if (!At(number).IsWithdrawn)
                    yield return At(number).Acknowledgement;
            }
        }
    }

    /// <summary>Adds one at the end.</summary>
    /// <returns>Its number.</returns>
    public long Add(Acknowledgement acknowledgement)
    {
        if (Count == _entries.Length)
            Grow();
        At(_next) = new Entry(acknowledgement, IsFinished: false);
        return _next++;
    }

    /// <summary>One is finished.</summary>
    /// <returns>False when it is not here any more, or was finished before.</returns>
    public bool Finish(long number)
    {
        if (number < _first || number >= _next || At(number).IsFinished)
            return false;
        At(number) = At(number) with { IsFinished = true };
        return true;
    }

    /// <summary>Marks all that answer a message as refused.</summary>
    public void Refuse(AckKind kind, ushort packetId)
    {
        for (var number = _first; number < _next; number++)
        {
            var acknowledgement = At(number).Acknowledgement;
            if (acknowledgement.Kind == kind && acknowledgement.PacketId == packetId)
                At(number) = At(number) with { Acknowledgement = acknowledgement with { IsRefused = true } };
        }
    }

    /// <summary>One will never be finished; those after it stay behind it.</summary>
    /// <returns>Which it was; null when it is not here any more, or is finished.</returns>
    public Acknowledgement? Withdraw(long number)
    {
        if (number < _first || number >= _next || At(number).IsFinished)
            return null;
        At(number) = At(number) with { IsWithdrawn = true };
        return At(number).Acknowledgement;
    }

    /// <summary>Takes the first one out, if it is finished.</summary>
    public bool TryTake(out Acknowledgement acknowledgement)
    {
        acknowledgement = default;
        if (_first == _next || !At(_first).IsFinished)
            return false;
        acknowledgement = At(_first++).Acknowledgement;
        return true;
    }

    /// <summary>None of them is owed any more. Numbers are never used again.</summary>
    public void Clear() => _first = _next;

    private ref Entry At(long number) => ref _entries[number & (_entries.Length - 1)];

    private void Grow()
    {
        var larger = new Entry[Math.Max(Smallest, _entries.Length * 2)];
        for (var number = _first; number < _next; number++)
            larger[number & (larger.Length - 1)] = At(number);
        _entries = larger;
    }

    private readonly record struct Entry(Acknowledgement Acknowledgement, bool IsFinished, bool IsWithdrawn = false);
}
