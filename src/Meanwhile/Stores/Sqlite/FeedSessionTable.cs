using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Stores.Sqlite;

/// <summary>The feed's sessions: received QoS 2 identifiers of each client, and what our own is subscribed to.</summary>
internal sealed class FeedSessionTable
{
    private readonly StoreOptions _options;
    private readonly Statement _addId;
    private readonly Statement _removeId;
    private readonly Statement _removeIds;
    private readonly Statement _subscribed;
    private readonly Statement _unsubscribed;
    private readonly Statement _ids;
    private readonly Statement _subscription;

    public FeedSessionTable(Database database, StoreOptions options)
    {
        _options = options;
        _addId = database.Prepare("INSERT OR IGNORE INTO received_ids (session, packet_id) VALUES (?, ?)");
        _removeId = database.Prepare("DELETE FROM received_ids WHERE session = ? AND packet_id = ?");
        _removeIds = database.Prepare("DELETE FROM received_ids WHERE session = ?");
        _unsubscribed = database.Prepare("DELETE FROM sessions WHERE name = ?");
        _subscribed = database.Prepare("INSERT INTO sessions (name, subscription) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET subscription = excluded.subscription");
        _ids = database.Prepare("SELECT session, packet_id FROM received_ids WHERE session = ?1 OR (session > ?1 || '/' AND session < ?1 || '0')"); // '0' comes after '/'.
        _subscription = database.Prepare("SELECT subscription FROM sessions WHERE name = ?");
    }

    /// <summary>Writes what a batch changes.</summary>
    public void Change(Batch batch)
    {
        foreach (var (client, change) in batch.IdChanges)
            Write(_options.SessionOf(client), change);
        if (batch.Subscription is { } filter)
            _subscribed.Bind(1, _options.Session).Bind(2, filter).Run();
    }

    /// <summary>What the sessions were at the last commit.</summary>
    public SessionState Read()
    {
        List<(string Client, ushort PacketId)> ids = [];
        _ids.Bind(1, _options.Session);
        while (_ids.Step())
            ids.Add((_options.ClientOf(_ids.Text(0)), (ushort)_ids.Integer(1)));
        var byClient = ids.GroupBy(id => id.Client, id => id.PacketId, StringComparer.Ordinal)
            .ToDictionary(client => client.Key, IReadOnlyCollection<ushort> (client) => [.. client], StringComparer.Ordinal);

        string? subscription = null;
        _subscription.Bind(1, _options.Session);
        while (_subscription.Step())
            subscription = _subscription.Text(0);
        return new SessionState(byClient, subscription);
    }

    private void Write(string session, IdChange change)
    {
        if (change.Kind == IdChangeKind.AllForgotten)
            _unsubscribed.Bind(1, session).Run(); // The broker has forgotten that as well.
        var statement = change.Kind switch
        {
            IdChangeKind.Received => _addId.Bind(2, change.PacketId),
            IdChangeKind.Released => _removeId.Bind(2, change.PacketId),
            _ => _removeIds,
        };
        statement.Bind(1, session).Run();
    }
}
