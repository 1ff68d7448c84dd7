using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Who is here: connections, and the sessions they use. A session has one connection at a time.</summary>
internal sealed class SessionManager
{
    // In bytes: no more than the session itself takes.
    private const int SmallWill = 1024;

    private const string TakenOver = "another connection uses its client identifier";

    private readonly SessionRegistry _registry;
    private readonly Router _router;
    private readonly HandoverQueue _handover;
    private readonly BrokerLimits _limits;
    private readonly SessionExpiry _expiry;
    private readonly Lock _gate = new();
    private readonly HashSet<Connection> _connections = [];
    private readonly Dictionary<ClientSession, Connection> _owners = [];

    // Who waits to be the next owner: one of each client identifier, so that clients that come again and again do not pile up. All of one identifier have the same user.
    private readonly Dictionary<string, (Connection Connection, string? User)> _next = new(StringComparer.Ordinal);

    /// <summary>Begins with what an earlier process has kept.</summary>
    /// <param name="registry">All sessions.</param>
    /// <param name="router">For the subscriptions of sessions that end.</param>
    /// <param name="handover">For wills, and for what the host has to forget.</param>
    /// <param name="limits">How many sessions there may be.</param>
    /// <param name="time">For when wills are published.</param>
    /// <param name="refused">Told of wills that may not be published any more.</param>
    public SessionManager(SessionRegistry registry, Router router, HandoverQueue handover, BrokerLimits limits, TimeProvider time, Action<Refusal> refused)
    {
        (_registry, _router, _handover, _limits) = (registry, router, handover, limits);
        _expiry = new SessionExpiry(_gate, registry, router, handover, time, refused);
    }

    /// <summary>A connection comes in.</summary>
    public void Enter(Connection connection)
    {
        lock (_gate)
            _connections.Add(connection);
    }

    /// <summary>Whether a client has a session, or may begin one.</summary>
    public bool HasRoomFor(string clientId, MemoryWatch memory)
    {
        lock (_gate)
            return (_registry.Count < _limits.Sessions && !memory.IsFull) || _registry.TryFind(clientId, out _);
    }

    /// <summary>Whether a will may be kept: small ones always, others as long as all of them do not take too much memory.</summary>
    public bool HasRoomFor(Will will) => will.Size <= SmallWill || _registry.WillBytes + will.Size <= _limits.WillBytes;

    /// <summary>Keeps a client's will.</summary>
    public PendingWill Keep(ClientSession session, Will will, Permissions permissions) => _registry.Keep(session, will, permissions);

    /// <summary>How many connections, clients and sessions there are.</summary>
    public BrokerStatistics Count()
    {
        lock (_gate)
            return new BrokerStatistics { Connections = _connections.Count, Clients = _owners.Count, Sessions = _registry.Count, WillBytes = _registry.WillBytes };
    }

    /// <summary>The approximate memory of messages that wait for clients, in bytes. It visits all sessions.</summary>
    public long QueuedBytes()
    {
        lock (_gate)
            return _registry.QueuedBytes();
    }

    /// <summary>All connections that are here.</summary>
    public Connection[] All()
    {
        lock (_gate)
            return [.. _connections];
    }

    /// <summary>
    /// Gives a connection its session, once whoever used it has gone [MQTT-3.1.4-3], and what it left behind is in the hands of the host. If another user owns the session, it does nothing
    /// but say so.
    /// </summary>
    /// <exception cref="OperationCanceledException">It has waited long enough, or another one wants the session.</exception>
    public async ValueTask<Opened> OpenAsync(Connection connection, ConnectPacket connect, string clientId, string? user, Func<TimeSpan> now, CancellationToken patience)
    {
        Connection? before;
        lock (_gate)
        {
            if (IsOfAnother(clientId, user, now(), out var owner))
                return Opened.Not(owner);
            before = _next.GetValueOrDefault(clientId).Connection;
            _next[clientId] = (connection, user);
        }
        before?.Close(ReasonCode.SessionTakenOver, TakenOver);
        try
        {
            while (true)
            {
                patience.ThrowIfCancellationRequested();
                if (TryOpen(connection, connect, clientId, user, now(), out var opened, out var owner, out var obstacle))
                    return opened;
                owner?.Close(ReasonCode.SessionTakenOver, TakenOver);
                await obstacle.WaitAsync(patience);
            }
        }
        finally
        {
            lock (_gate)
            {
                if (_next.GetValueOrDefault(clientId).Connection == connection)
                    _next.Remove(clientId);
            }
        }
    }

    /// <summary>Hands something to the host on behalf of a session that is being opened.</summary>
    /// <returns>Completes when the host has it; when it has completed it, if that is to be awaited.</returns>
    public Task HandOver(in Incoming incoming)
    {
        lock (_gate)
            return _handover.HandOver(incoming);
    }

    /// <summary>A connection goes.</summary>
    public void Leave(Connection connection, ClientSession? session, PendingWill? will, uint expiry, TimeSpan now)
    {
        lock (_gate)
        {
            _connections.Remove(connection);
            if (session is null)
                return;
            var expiresAt = now + TimeSpan.FromSeconds(expiry);
            lock (session.Gate)
                session.Disconnected(expiresAt);
            _owners.Remove(session);
            _registry.Leave(session, will, expiresAt, now);
            _expiry.PublishDue(now); // Under the same lock: its will comes before whatever the client sends next.
        }
        _expiry.CleanUp(now);
    }

    /// <summary>Publishes wills that are due, and ends sessions whose time is over. It waits for nothing.</summary>
    public void CleanUp(TimeSpan now) => _expiry.CleanUp(now);

    /// <summary>Ends a session, once its connection has gone. Its will is published by that, if it has one that waits [MQTT-3.1.3-9].</summary>
    /// <returns>False when there is none.</returns>
    public async ValueTask<bool> EndAsync(string clientId, Func<TimeSpan> now, CancellationToken cancellationToken)
    {
        ClientSession? ending = null;
        while (true)
        {
            Connection? owner;
            lock (_gate)
            {
                if (!_registry.TryFind(clientId, out var session) || (ending is not null && session != ending))
                    return ending is not null;
                if (!_owners.TryGetValue(session, out owner))
                    _registry.Expire(ending = session, now());
            }
            _expiry.CleanUp(now());
            owner?.Close(ReasonCode.AdministrativeAction, "its session was ended");
            if (owner is not null)
                await owner.Ended.WaitAsync(cancellationToken);
            else if (_handover.Has(clientId, out var through))
                await through.WaitAsync(cancellationToken);
        }
    }

    private bool IsOfAnother(string clientId, string? user, TimeSpan now, [NotNullWhen(true)] out string? owner)
    {
        if (_registry.IsOfAnother(clientId, user, now, out owner))
            return true;
        owner = _next.TryGetValue(clientId, out var next) && !ClientSession.IsOf(next.User, user) ? next.User : null;
        return owner is not null;
    }

    private bool TryOpen(
        Connection connection, ConnectPacket connect, string clientId, string? user, TimeSpan now, out Opened opened, out Connection? owner, [NotNullWhen(false)] out Task? obstacle)
    {
        lock (_gate)
        {
            (opened, owner, obstacle) = (default, null, null);
            if (_registry.IsOfAnother(clientId, user, now, out var other)) // The other user got it while this connection waited.
            {
                opened = Opened.Not(other);
                return true;
            }
            if (_registry.TryFind(clientId, out var known) && _owners.TryGetValue(known, out owner))
                obstacle = owner.Ended;
            if (obstacle is not null || _handover.Has(clientId, out obstacle))
                return false;
            var session = _registry.Open(connect, clientId, user, now, out var will);
            if (known is not null && known != session)
            {
                _router.Forget(known);
                _expiry.Publish(will, known, now);
            }
            _owners[session] = connection;
            opened = new Opened(session, session == known, known);
            return true;
        }
    }
}
