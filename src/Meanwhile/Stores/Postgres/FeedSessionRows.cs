using Meanwhile.Mqtt.Delivery;
using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>The rows of the feed's sessions, as its owner remembers them: nobody else changes them.</summary>
internal sealed class FeedSessionRows(StoreOptions options)
{
    private readonly Dictionary<string, Row> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Row> _changed = new(StringComparer.Ordinal);

    /// <summary>What the sessions were at the last commit.</summary>
    public SessionState State => new(
        _rows.Where(row => row.Value.Ids.Count > 0).ToDictionary(row => row.Key, IReadOnlyCollection<ushort> (row) => row.Value.Ids, StringComparer.Ordinal),
        _rows.TryGetValue("", out var own) ? own.Subscription : null);

    /// <summary>A query for all rows, to be loaded one by one.</summary>
    public NpgsqlBatchCommand Query() => new("SELECT name, received_ids, subscription FROM sessions WHERE name = $1 OR starts_with(name, $2)")
    {
        Parameters = { Of(options.Session), Of(options.Session + "/") },
    };

    /// <summary>Takes in what a row holds.</summary>
    public void Load(NpgsqlDataReader row) => _rows[options.ClientOf(row.GetString(0))] =
        new Row([.. row.GetFieldValue<int[]>(1).Select(id => (ushort)id)], row.IsDBNull(2) ? null : row.GetString(2));

    /// <summary>Writes what a batch changes. Sessions of which nothing is left leave no row.</summary>
    public void Change(Batch batch, NpgsqlBatch transaction)
    {
        foreach (var (client, change) in batch.IdChanges)
            Change(client, change);
        if (batch.Subscription is { } filter)
            _changed[""] = Find("") with { Subscription = filter };

        List<string> gone = [];
        foreach (var (client, row) in _changed)
        {
            if (!row.IsEmpty)
                Write(transaction, client, _rows[client] = row);
            else if (_rows.Remove(client))
                gone.Add(options.SessionOf(client));
        }
        _changed.Clear();
        if (gone.Count > 0)
            transaction.BatchCommands.Add(new("DELETE FROM sessions WHERE name = ANY ($1)") { Parameters = { Of(gone) } });
    }

    private void Change(string client, IdChange change)
    {
        if (!_changed.TryGetValue(client, out var row))
            _changed.Add(client, row = Find(client));
        if (change.Kind == IdChangeKind.Received)
            row.Ids.Add(change.PacketId);
        else if (change.Kind == IdChangeKind.Released)
            row.Ids.Remove(change.PacketId);
        else
            _changed[client] = new Row([], null); // The broker has forgotten both.
    }

    private Row Find(string client) => _changed.TryGetValue(client, out var row) || _rows.TryGetValue(client, out row) ? row : new Row([], null);

    private void Write(NpgsqlBatch transaction, string client, Row row) => transaction.BatchCommands.Add(
        new("INSERT INTO sessions (name, received_ids, subscription) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET received_ids = $2, subscription = $3")
        {
            Parameters = { Of(options.SessionOf(client)), Of(row.Ids.Select(id => (int)id).ToList()), Of(row.Subscription) },
        });

    private static NpgsqlParameter<T> Of<T>(T value) => new() { TypedValue = value };

    private sealed record Row(HashSet<ushort> Ids, string? Subscription)
    {
        public bool IsEmpty => Ids.Count == 0 && Subscription is null;
    }
}
