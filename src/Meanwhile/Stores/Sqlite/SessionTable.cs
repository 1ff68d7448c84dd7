using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Stores.Sqlite;

/// <summary>The feed's session at its broker: received QoS 2 identifiers, and what it is subscribed to.</summary>
internal sealed class SessionTable
{
    private readonly string _session;
    private readonly Statement _addId;
    private readonly Statement _removeId;
    private readonly Statement _removeIds;
    private readonly Statement _subscribed;
    private readonly Statement _unsubscribed;
    private readonly Statement _ids;
    private readonly Statement _subscription;

    public SessionTable(Database database, string session)
    {
        _session = session;
        _addId = database.Prepare("INSERT OR IGNORE INTO received_ids (session, packet_id) VALUES (?, ?)");
        _removeId = database.Prepare("DELETE FROM received_ids WHERE session = ? AND packet_id = ?");
        _removeIds = database.Prepare("DELETE FROM received_ids WHERE session = ?");
        _unsubscribed = database.Prepare("DELETE FROM sessions WHERE name = ?");
        _subscribed = database.Prepare("INSERT INTO sessions (name, subscription) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET subscription = excluded.subscription");
        _ids = database.Prepare("SELECT packet_id FROM received_ids WHERE session = ?");
        _subscription = database.Prepare("SELECT subscription FROM sessions WHERE name = ?");
    }

    /// <summary>Writes what a batch changes.</summary>
    public void Change(Batch batch)
    {
        foreach (var change in batch.IdChanges)
            Write(change);
        if (batch.Subscription is { } filter)
            _subscribed.Bind(1, _session).Bind(2, filter).Run();
    }

    /// <summary>What the session was at the last commit.</summary>
    public SessionState Read()
    {
        List<ushort> ids = [];
        _ids.Bind(1, _session);
        while (_ids.Step())
            ids.Add((ushort)_ids.Integer(0));

        string? subscription = null;
        _subscription.Bind(1, _session);
        while (_subscription.Step())
            subscription = _subscription.Text(0);
        return new SessionState(ids, subscription);
    }

    private void Write(IdChange change)
    {
        if (change.Kind == IdChangeKind.AllForgotten)
            _unsubscribed.Bind(1, _session).Run(); // The broker has forgotten that as well.
        var statement = change.Kind switch
        {
            IdChangeKind.Received => _addId.Bind(2, change.PacketId),
            IdChangeKind.Released => _removeId.Bind(2, change.PacketId),
            _ => _removeIds,
        };
        statement.Bind(1, _session).Run();
    }
}
