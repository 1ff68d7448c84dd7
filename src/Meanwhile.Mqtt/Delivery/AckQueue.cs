namespace Meanwhile.Mqtt.Delivery;

/// <summary>Acknowledgements that are owed on one connection, in the order of receipt; each leaves when it is finished and all before it have left.</summary>
internal sealed class AckQueue
{
    private const int Smallest = 4;
    private const int FewRefusals = 64;

    // A ring: the one with number n lies at n modulo the length, which is a power of two.
    private Entry[] _entries = [];
    private long _first;
    private long _next;

    // Answers that are refused: those of a kind and an identifier that were added before a number. Null for none.
    private Dictionary<(AckKind Kind, ushort PacketId), long>? _refusedBefore;
    private long _lastRefused;
    private int _mostRefusals; // With as many it is time to look which of them have left.

    /// <summary>How many there are.</summary>
    public int Count => (int)(_next - _first);

    /// <summary>How many refusals are remembered.</summary>
    public int Refusals => _refusedBefore?.Count ?? 0;

    /// <summary>How many times something was looked up for a refusal: the work that refusals are.</summary>
    public long Steps { get; private set; }

    /// <summary>All of them, in order, but for those that are withdrawn.</summary>
    public IEnumerable<Acknowledgement> All
    {
        get
        {
            for (var number = _first; number < _next; number++)
            {
                if (!At(number).IsWithdrawn)
                    yield return AsRefused(number);
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

    /// <summary>All that are here and answer a message say that it is refused. They are not visited for it: there may be tens of thousands.</summary>
    public void Refuse(AckKind kind, ushort packetId)
    {
        if (_refusedBefore is null)
            (_refusedBefore, _mostRefusals) = ([], FewRefusals);
        if (Refusals >= _mostRefusals)
            ForgetWhatHasLeft(_refusedBefore);
        _refusedBefore[(kind, packetId)] = _lastRefused = _next;
        Steps++;
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
        acknowledgement = _refusedBefore is null ? At(_first).Acknowledgement : AsRefused(_first);
        if (++_first >= _lastRefused)
            _refusedBefore = null;
        return true;
    }

    /// <summary>None of them is owed any more. Numbers are never used again.</summary>
    public void Clear() => (_first, _refusedBefore) = (_next, null);

    // Where a client always has something in flight, there is never an end at which all of them can be forgotten.
    private void ForgetWhatHasLeft(Dictionary<(AckKind Kind, ushort PacketId), long> refusedBefore)
    {
        foreach (var (answer, before) in refusedBefore)
        {
            if (before <= _first)
                refusedBefore.Remove(answer);
        }
        _mostRefusals = Math.Max(FewRefusals, 2 * refusedBefore.Count);
    }

    private Acknowledgement AsRefused(long number)
    {
        var acknowledgement = At(number).Acknowledgement;
        if (_refusedBefore is null)
            return acknowledgement;
        Steps++;
        return number < _refusedBefore.GetValueOrDefault((acknowledgement.Kind, acknowledgement.PacketId)) ? acknowledgement with { IsRefused = true } : acknowledgement;
    }

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
