using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>
/// One client's session as a pure state machine: packets and the time go in, deliveries and packets come out. It outlives its connections. Whoever shares it
/// between threads holds <see cref="Gate"/>.
/// </summary>
internal sealed class ClientSession
{
    private readonly SessionLimits _limits;
    private readonly SessionLog _log;
    private readonly Receiver _receiver;
    private readonly OutgoingQueue _queue;

    // Identifiers of messages that the host has, and that subscribers may not have: the process ended between the two.
    private readonly HashSet<ushort> _unrouted;
    private ReceivedAliases _aliases = new(0);
    private Terms? _terms;

    /// <summary>Begins a session.</summary>
    /// <param name="clientId">Its name.</param>
    /// <param name="limits">What it may take up.</param>
    /// <param name="journal">Where it is kept.</param>
    /// <param name="drops">Told of messages that do not reach the client.</param>
    /// <param name="hostIds">QoS 2 identifiers that an earlier process's host has stored.</param>
    /// <param name="ownIds">Those of them that the journal has, and others.</param>
    public ClientSession(string clientId, SessionLimits limits, Journal journal, DropCounters drops, IReadOnlyCollection<ushort> hostIds, IReadOnlyCollection<ushort> ownIds)
    {
        (ClientId, _limits, _log) = (clientId, limits, new SessionLog(journal, this));
        _receiver = new Receiver([.. hostIds, .. ownIds]);
        _queue = new OutgoingQueue(clientId, limits, _log, drops);
        _unrouted = [.. hostIds.Except(ownIds)];
    }

    /// <summary>Held while any other member is used.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Its name.</summary>
    public string ClientId { get; }

    /// <summary>The user who owns it; empty for clients without a name; null if nobody knows: then the next user who connects owns it.</summary>
    public string? User { get; set; }

    /// <summary>The filters of its subscriptions; whoever routes looks after them.</summary>
    public HashSet<string> Subscriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>Where its copy of the message is that is being routed; whoever routes looks after it.</summary>
    public int Place { get; set; }

    /// <summary>What the client may do, as of its last login, which may have been in an earlier process.</summary>
    public Permissions Permissions { get; set; } = Permissions.All;

    /// <summary>How many messages were sent.</summary>
    public long Sent => _queue.Sent;

    /// <summary>Tells the connection that there may be something to send.</summary>
    public Action? WakeUp { get; set; }

    /// <summary>Tells the connection that its client is too slow.</summary>
    public Action? Overflowed { get; set; }

    /// <summary>A connection uses it.</summary>
    public bool IsConnected => _terms is not null;

    /// <summary>It outlives its connection, and the process.</summary>
    public bool IsKept => _log.IsOn;

    /// <summary>Nothing more fits into its queue.</summary>
    public bool IsFull => _queue.IsFull;

    /// <summary>How full its queue is.</summary>
    public QueueFill Fill => _queue.Fill(IsConnected);

    /// <summary>The memory of what waits in it, in bytes. The only member that may be read without the gate.</summary>
    public long QueuedBytes => _queue.Bytes;

    /// <summary>How many acknowledgements and releases are still owed to the client.</summary>
    public int Owed => _receiver.Owed + _queue.OwedReleases;

    /// <summary>How many messages at QoS 0 the host has not completed yet.</summary>
    public int UnsettledAtQos0 { get; private set; }

    /// <summary>Whether a user may use what a user owns.</summary>
    /// <param name="owner">The owner; null if nobody knows: then everybody may.</param>
    /// <param name="user">The user; null where nobody has to say who it is: this counts as no name.</param>
    public static bool IsOf(string? owner, string? user) => owner is null || owner == (user ?? "");

    /// <summary>Goes on with what an earlier process has kept.</summary>
    /// <param name="ids">Received QoS 2 identifiers.</param>
    /// <param name="messages">What waits for the client.</param>
    /// <param name="lastSent">Up to which of them may have been sent; null for all.</param>
    public void Restore(IEnumerable<ushort> ids, IEnumerable<MessageQueued> messages, long? lastSent)
    {
        _log.Restore(ids);
        _queue.Restore(messages, lastSent);
    }

    /// <summary>A connection was accepted.</summary>
    /// <returns>What the host has to store before anything of this connection.</returns>
    public IdChange Connected(Terms terms, bool sessionPresent)
    {
        _terms = terms;
        _aliases = new ReceivedAliases(_limits.TopicAliasMaximum);
        if (terms.SessionExpiry > 0 || IsKept)
            _log.Open(terms.SessionExpiry);
        if (!sessionPresent)
            _unrouted.Clear();
        _queue.Connected(terms.ReceiveMaximum);
        return _receiver.Connected(sessionPresent, _limits.ReceiveMaximum);
    }

    /// <summary>The connection is gone. Acknowledgements that are still owed are void.</summary>
    /// <param name="expiresAt">When the session is over.</param>
    public void Disconnected(TimeSpan expiresAt)
    {
        var expiry = _terms?.SessionExpiry;
        _terms = null;
        WakeUp = Overflowed = null;
        _queue.Disconnected();
        _log.Leave(expiresAt, _queue.LastSent, expiry);
    }

    /// <summary>It is over: nothing of it is kept.</summary>
    public void End()
    {
        _queue.End();
        _log.End();
    }

    /// <summary>It is subscribed to something.</summary>
    public void Subscribed(SubscriptionRequest request, uint? identifier)
    {
        Subscriptions.Add(request.Filter);
        _log.Subscribe(request, identifier);
    }

    /// <summary>It is not any more.</summary>
    /// <returns>False when it was not.</returns>
    public bool Unsubscribed(string filter)
    {
        if (!Subscriptions.Remove(filter))
            return false;
        _log.Unsubscribe(filter);
        return true;
    }

    /// <summary>A PUBLISH arrived.</summary>
    /// <param name="publish">The packet.</param>
    /// <param name="message">The message in it.</param>
    /// <param name="received">When it was read.</param>
    public Incoming Publish(in PublishPacket publish, Message message, DateTimeOffset received)
    {
        if (publish.Qos > 0 && _terms!.Version == ProtocolVersion.V5 && _receiver.IsFull)
            throw new ProtocolException(ReasonCode.ReceiveMaximumExceeded, $"more than {_limits.ReceiveMaximum} messages unacknowledged"); // [MQTT-3.3.4-7]
        var receipt = _receiver.Publish(publish.PacketId, publish.Qos, publish.Dup);
        UnsettledAtQos0 += publish.Qos == 0 ? 1 : 0;
        var canBeRefused = publish.Qos == 0 || _terms!.Version == ProtocolVersion.V5;
        var isRouted = receipt.IsNew || (publish.Qos == 2 && _unrouted.Remove(publish.PacketId));
        return Incoming.Of(publish, receipt, ClientId, message, received, this, canBeRefused, isRouted);
    }

    /// <summary>The topic of a PUBLISH, alias or not.</summary>
    public string TopicOf(in PublishPacket publish) => _aliases.Resolve(publish);

    /// <summary>A PUBREL arrived.</summary>
    public Incoming Release(ushort packetId)
    {
        _unrouted.Remove(packetId);
        return Incoming.Of(_receiver.Release(packetId), ClientId, this);
    }

    /// <summary>A PUBLISH or PUBREL will not reach the host, because its connection ends before: it is as if it had not come. The last one first.</summary>
    public void Withdraw(in Incoming incoming)
    {
        Settle(incoming);
        if (incoming.Kind != IncomingKind.Redelivery)
            _receiver.Withdraw(incoming.Ticket);
        else if (incoming.IsRouted)
            _unrouted.Add(incoming.ReceivedId);
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP arrived.</summary>
    public void Answered(PublishAckPacket answer) => _queue.Answered(answer);

    /// <summary>The host has completed something.</summary>
    /// <returns>Whether it is acknowledged by that; not so at QoS 0, or when the connection is gone.</returns>
    public bool Complete(in Incoming incoming)
    {
        Settle(incoming);
        return _receiver.Complete(incoming.Ticket);
    }

    /// <summary>The host refuses a message.</summary>
    public void Refuse(in Incoming incoming)
    {
        Settle(incoming);
        if (incoming.IsAcknowledged)
            _receiver.Refuse(incoming.Ticket, incoming.PacketId, incoming.Message!.Qos);
    }

    /// <summary>Remembers which QoS 2 identifiers are in use.</summary>
    /// <param name="incoming">What the host has completed, or what has reached the queues of subscribers.</param>
    /// <param name="isHostsOwn">The host has stored the identifier.</param>
    /// <param name="hasCopies">It has made subscribers' queues longer that outlive the process: after a crash it must not do so again.</param>
    /// <returns>The batch of the journal that this is in; 0 for none.</returns>
    public long Remember(in Incoming incoming, bool isHostsOwn, bool hasCopies)
    {
        if (incoming.IdChange.Kind == IdChangeKind.Released)
            return _log.ReleaseId(incoming.IdChange.PacketId);
        return incoming.IsRouted && incoming.ReceivedId > 0 && (!isHostsOwn || hasCopies) ? _log.ReceiveId(incoming.ReceivedId) : 0;
    }

    /// <summary>Queues a message for the client. What comes at QoS 0 is not kept for a client that is away.</summary>
    /// <param name="outgoing">The message.</param>
    /// <param name="isBounded">Its kind stops coming when the queue is full, so this one is kept.</param>
    /// <returns>The batch of the journal that it is in, 0 for none; null when it is not kept.</returns>
    public long? Add(Outgoing outgoing, bool isBounded) => _queue.Add(outgoing, isBounded, IsConnected);

    /// <summary>Whether its queue has come to a level at which it was not since it was last less than a quarter full. Asked for each message that is queued.</summary>
    public bool IsFilling() => _queue.IsFilling();

    /// <summary>Writes what may be sent now, acknowledgements first, up to about a size.</summary>
    /// <returns>False when there may be more.</returns>
    public bool Write(PacketWriter writer, TimeSpan now, int enough)
    {
        if (_terms is null)
            return true;
        while (_receiver.TryNextAcknowledgement(out var acknowledgement))
        {
            if (!acknowledgement.IsRefused || _terms.Version == ProtocolVersion.V5) // A client that has come back with 3.1.1 cannot be told: the message stays unacknowledged.
                acknowledgement.ToPacket().Write(writer, _terms.Version);
        }
        return _queue.Write(writer, _terms, Permissions, now, enough);
    }

    private void Settle(in Incoming incoming) => UnsettledAtQos0 -= incoming.IsAtQos0 ? 1 : 0;
}
