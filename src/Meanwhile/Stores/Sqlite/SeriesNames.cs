using System.Runtime.InteropServices;

namespace Meanwhile.Stores.Sqlite;

/// <summary>The table of topics, a number each, and what of it is known without asking.</summary>
internal sealed class SeriesNames
{
    // Series whose last reading has expired are looked for this often, in the time of the retention's end.
    private const long PruneInterval = 60_000;

    private readonly Database _database;
    private readonly Statement _insert;
    private readonly Statement _delete;
    private readonly Dictionary<string, Known> _byTopic = new(StringComparer.Ordinal);
    private readonly SeriesById _byId;
    private readonly List<string> _uncommitted = [];
    private readonly List<string> _pruned = [];
    private long _nextPrune = long.MinValue;

    /// <summary>Takes over what the table holds.</summary>
    /// <param name="newest">No reading of any series is newer than this; milliseconds since the Unix epoch.</param>
    public SeriesNames(Database database, SeriesById byId, long newest)
    {
        (_database, _byId) = (database, byId);
        _insert = database.Prepare("INSERT INTO series (topic) VALUES (?)");
        _delete = database.Prepare("DELETE FROM series WHERE id = ?");
        foreach (var (id, topic) in byId.Names)
            _byTopic.TryAdd(topic, new Known(id, newest)); // Another program may have written a name twice: as text and as bytes.
    }

    /// <summary>A topic's number; it is given one if it has none.</summary>
    /// <param name="time">Of the reading that asks.</param>
    public long IdOf(string topic, long time)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_byTopic, topic);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref known))
        {
            known.Newest = Math.Max(known.Newest, time);
            return known.Id;
        }
        _insert.Bind(1, topic).Run();
        var id = _database.LastInsertRowId;
        _byTopic.Add(topic, new Known(id, time));
        _byId.Add(id, topic);
        _uncommitted.Add(topic);
        return id;
    }

    /// <summary>Deletes, now and then, the topics whose readings have all expired.</summary>
    public void Prune(long cutoff)
    {
        if (cutoff < _nextPrune)
            return;
        _nextPrune = cutoff + PruneInterval;
        foreach (var (topic, known) in _byTopic)
        {
            if (known.Newest >= cutoff)
                continue;
            _delete.Bind(1, known.Id).Run();
            _pruned.Add(topic);
        }
    }

    /// <summary>What was inserted and deleted is durable.</summary>
    public void Committed()
    {
        foreach (var topic in _pruned)
            Forget(topic);
        _pruned.Clear();
        _uncommitted.Clear();
    }

    /// <summary>What was inserted and deleted was not.</summary>
    public void RolledBack()
    {
        foreach (var topic in _uncommitted)
            Forget(topic);
        _uncommitted.Clear();
        _pruned.Clear();
        _nextPrune = long.MinValue;
    }

    private void Forget(string topic)
    {
        if (_byTopic.Remove(topic, out var known))
            _byId.Remove(known.Id);
    }

    private record struct Known(long Id, long Newest);
}
