using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Who is here: connections, the sessions they use, and what happens when they go.</summary>
/// <param name="registry">All sessions.</param>
/// <param name="router">For the subscriptions of sessions that end.</param>
/// <param name="handover">For wills, and for what the host has to forget.</param>
/// <param name="limits">How many sessions there may be.</param>
/// <param name="time">For when wills are published.</param>
/// <param name="refused">Told of wills that may not be published any more.</param>
internal sealed class SessionManager(SessionRegistry registry, Router router, HandoverQueue handover, BrokerLimits limits, TimeProvider time, Action<Refusal> refused)
{
    // For a session that cannot end yet.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private const int EndedAtOnce = 256;

    // In bytes: no more than the session itself takes.
    private const int SmallWill = 1024;

    private const string TakenOver = "another connection uses its client identifier";

    private readonly Lock _gate = new();
    private readonly HashSet<Connection> _connections = [];
    private readonly Dictionary<ClientSession, Connection> _owners = [];

    // Who waits to be the next owner: one of each client identifier, so that clients that come again and again do not pile up. All of one identifier have the same user.
    private readonly Dictionary<string, (Connection Connection, string? User)> _next = new(StringComparer.Ordinal);

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
            return (registry.Count < limits.Sessions && !memory.IsFull) || registry.TryFind(clientId, out _);
    }

    /// <summary>Whether a will may be kept: small ones always, others as long as all of them do not take too much memory.</summary>
    public bool HasRoomFor(Will will) => will.Size <= SmallWill || registry.WillBytes + will.Size <= limits.WillBytes;

    /// <summary>Keeps a client's will.</summary>
    public PendingWill Keep(ClientSession session, Will will, Permissions permissions) => registry.Keep(session, will, permissions);

    /// <summary>How many connections, clients and sessions there are.</summary>
    public BrokerStatistics Count()
    {
        lock (_gate)
            return new BrokerStatistics { Connections = _connections.Count, Clients = _owners.Count, Sessions = registry.Count, WillBytes = registry.WillBytes };
    }

    /// <summary>The approximate memory of messages that wait for clients, in bytes. It visits all sessions.</summary>
    public long QueuedBytes()
    {
        lock (_gate)
            return registry.QueuedBytes();
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
            return handover.HandOver(incoming);
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
            registry.Leave(session, will, expiresAt, now);
            PublishDue(now); // Under the same lock: its will comes before whatever the client sends next.
        }
        CleanUp(now);
    }

    /// <summary>Publishes wills that are due, and ends sessions whose time is over. It waits for nothing.</summary>
    public void CleanUp(TimeSpan now)
    {
        IReadOnlyList<ClientSession> over;
        do
        {
            lock (_gate)
            {
                PublishDue(now);
                over = registry.Over(now, EndedAtOnce);
            }
            foreach (var session in over)
            {
                lock (_gate) // For each anew: thousands may end at once, each with a thousand subscriptions.
                {
                    if (registry.IsOver(session, now))
                        End(session, now);
                }
            }
        }
        while (over.Count == EndedAtOnce);
    }

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
                if (!registry.TryFind(clientId, out var session) || (ending is not null && session != ending))
                    return ending is not null;
                if (!_owners.TryGetValue(session, out owner))
                    registry.Expire(ending = session, now());
            }
            CleanUp(now());
            owner?.Close(ReasonCode.AdministrativeAction, "its session was ended");
            if (owner is not null)
                await owner.Ended.WaitAsync(cancellationToken);
            else if (handover.Has(clientId, out var through))
                await through.WaitAsync(cancellationToken);
        }
    }

    private bool IsOfAnother(string clientId, string? user, TimeSpan now, [NotNullWhen(true)] out string? owner)
    {
        if (registry.IsOfAnother(clientId, user, now, out owner))
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
            if (registry.IsOfAnother(clientId, user, now, out var other)) // The other user got it while this connection waited.
            {
                opened = Opened.Not(other);
                return true;
            }
            if (registry.TryFind(clientId, out var known) && _owners.TryGetValue(known, out owner))
                obstacle = owner.Ended;
            if (obstacle is not null || handover.Has(clientId, out obstacle))
                return false;
            var session = registry.Open(connect, clientId, user, now, out var will);
            if (known is not null && known != session)
            {
                router.Forget(known);
                PublishWill(will, known, now);
            }
            _owners[session] = connection;
            opened = new Opened(session, session == known, known);
            return true;
        }
    }

    // The host forgets the identifiers of a session that is over; until then, the session stays.
    private void End(ClientSession session, TimeSpan now)
    {
        registry.Postpone(session, now + Moment);
        if (handover.Has(session.ClientId, out _))
            return;
        var forgetting = new Incoming { Kind = IncomingKind.SessionChange, ClientId = session.ClientId, IdChange = new IdChange(IdChangeKind.AllForgotten, 0) };
        _ = handover.HandOver(forgetting, Remove); // The queue looks after it.

        void Remove()
        {
            lock (_gate)
            {
                registry.Remove(session);
                router.Forget(session);
            }
        }
    }

    private void PublishDue(TimeSpan now)
    {
        foreach (var (session, will) in registry.Due(now))
            PublishWill(will, session, now);
    }

    private void PublishWill(PendingWill? kept, ClientSession session, TimeSpan now)
    {
        if (kept is null)
            return;
        var will = kept.Will;
        if (!kept.IsAllowed)
        {
            kept.Forget();
            refused(new Refusal(RefusalKind.Message, session.ClientId, ReasonCode.NotAuthorized, will.Topic));
            return;
        }
        var message = Message.Of(will, now);
        _ = handover.HandOver(new Incoming { Kind = IncomingKind.Message, ClientId = session.ClientId, Message = message, Will = kept, IsRouted = true, Received = time.GetUtcNow() });
    }
}

/// <summary>A session that was opened.</summary>
/// <param name="Session">The session.</param>
/// <param name="IsPresent">It is an earlier one.</param>
/// <param name="Earlier">The earlier one, gone on with or not; null for none.</param>
internal readonly record struct Opened(ClientSession Session, bool IsPresent, ClientSession? Earlier)
{
    /// <summary>The other user who owns it, so that it was not opened; null if it was.</summary>
    public string? Owner { get; private init; }

    /// <summary>Another user owns it.</summary>
    public static Opened Not(string owner) => new() { Owner = owner };
}
