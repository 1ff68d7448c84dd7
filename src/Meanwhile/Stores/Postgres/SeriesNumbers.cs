namespace Meanwhile.Stores.Postgres;

/// <summary>The number of each topic, and what of the topics' readings decides when they are forgotten.</summary>
internal sealed class SeriesNumbers
{
    // Topics whose last reading has expired are looked for this often, in the time of the retention's end.
    private const long PruneInterval = 60_000;

    private readonly Dictionary<string, Known> _byTopic = new(StringComparer.Ordinal);
    private readonly Stack<int> _free = new(); // Without them, the numbers would be used up one day.
    private int _highest;
    private long _nextPrune = long.MinValue;

    /// <summary>Takes in what the table holds.</summary>
    /// <param name="newest">No reading of the topic is newer than this; milliseconds since the Unix epoch.</param>
    public void Load(string topic, int number, long newest)
    {
        _byTopic[topic] = new Known(number, newest);
        _highest = Math.Max(_highest, number);
    }

    /// <summary>A topic's number; it is given one if it has none.</summary>
    /// <param name="time">Of the reading that asks.</param>
    /// <param name="isNew">The table does not have it yet.</param>
    public int NumberOf(string topic, long time, out bool isNew)
    {
        isNew = !_byTopic.TryGetValue(topic, out var known);
        if (isNew)
            known = new Known(_free.TryPop(out var number) ? number : ++_highest, time);
        _byTopic[topic] = known with { Newest = Math.Max(known.Newest, time) };
        return known.Number;
    }

    /// <summary>Forgets, now and then, the topics whose readings have all expired.</summary>
    /// <returns>Their numbers.</returns>
    public List<int> Prune(long cutoff)
    {
        List<int> pruned = [];
        if (cutoff < _nextPrune)
            return pruned;
        _nextPrune = cutoff + PruneInterval;
        foreach (var (topic, known) in _byTopic)
        {
            if (known.Newest >= cutoff)
                continue;
            _byTopic.Remove(topic);
            _free.Push(known.Number);
            pruned.Add(known.Number);
        }
        return pruned;
    }

    private readonly record struct Known(int Number, long Newest);
}
