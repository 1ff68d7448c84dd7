namespace Meanwhile.Mqtt.Delivery;

/// <summary>A set of packet identifiers. Its memory is taken as wide apart as they lie, and kept: in steady state it allocates nothing.</summary>
internal sealed class PacketIds
{
    private const int BitsAPage = 1024;
    private const int BitsAWord = 64;

    private ulong[]?[]? _pages;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds one.</summary>
    /// <returns>False when it was there.</returns>
    public bool Add(ushort id)
    {
        var page = (_pages ??= new ulong[]?[(ushort.MaxValue + 1) / BitsAPage])[id / BitsAPage] ??= new ulong[BitsAPage / BitsAWord];
        ref var word = ref page[id % BitsAPage / BitsAWord];
        var bit = 1UL << (id % BitsAWord);
        if ((word & bit) != 0)
            return false;
        word |= bit;
        Count++;
        return true;
    }

    /// <summary>Takes one out.</summary>
    /// <returns>False when it was not there.</returns>
    public bool Remove(ushort id)
    {
        if (Count == 0 || _pages![id / BitsAPage] is not { } page)
            return false;
        ref var word = ref page[id % BitsAPage / BitsAWord];
        var bit = 1UL << (id % BitsAWord);
        if ((word & bit) == 0)
            return false;
        word &= ~bit;
        Count--;
        return true;
    }

    /// <summary>Takes all of them out.</summary>
    public void Clear() => (_pages, Count) = (null, 0);
}
