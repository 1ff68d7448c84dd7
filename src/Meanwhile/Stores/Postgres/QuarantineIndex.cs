namespace Meanwhile.Stores.Postgres;

/// <summary>What the quarantine holds, without the messages themselves: decides which of them leave, at no cost to the server.</summary>
internal sealed class QuarantineIndex(long mostMessages, long mostBytes)
{
    private readonly List<Entry> _entries = []; // In the order of their numbers.
    private long _bytes;
    private long _oldest = long.MaxValue; // No entry arrived before.

    /// <summary>A message is in it from now on.</summary>
    public void Add(Entry entry)
    {
        _entries.Add(entry);
        _bytes += entry.Bytes;
        _oldest = Math.Min(_oldest, entry.Arrived);
    }

    /// <summary>Takes out what somebody asked for.</summary>
    public void Take(IReadOnlyCollection<long> numbers)
    {
        if (numbers.Count == 0)
            return;
        var taken = numbers.ToHashSet();
        Remove(entry => taken.Contains(entry.Number), left: null);
    }

    /// <summary>Takes out what is too old, and then the oldest as long as it is too much.</summary>
    /// <returns>The numbers of what left.</returns>
    public List<long> Trim(long cutoff)
    {
        List<long> left = [];
        if (_oldest < cutoff)
            Remove(entry => entry.Arrived < cutoff, left);
        var surplus = 0;
        for (; surplus < _entries.Count && (_entries.Count - surplus > mostMessages || _bytes > mostBytes); surplus++)
        {
            _bytes -= _entries[surplus].Bytes;
            left.Add(_entries[surplus].Number);
        }
        _entries.RemoveRange(0, surplus);
        return left;
    }

    private void Remove(Predicate<Entry> condition, List<long>? left)
    {
        _oldest = long.MaxValue;
        _entries.RemoveAll(entry =>
        {
            if (!condition(entry))
            {
                _oldest = Math.Min(_oldest, entry.Arrived);
                return false;
            }
            _bytes -= entry.Bytes;
            left?.Add(entry.Number);
            return true;
        });
    }

    /// <summary>A message in the quarantine.</summary>
    public readonly record struct Entry(long Number, long Arrived, int Bytes);
}
