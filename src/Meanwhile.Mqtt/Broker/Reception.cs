using System.Threading.Channels;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Who is here: connections, the sessions they use, and what happens when they go.</summary>
/// <param name="table">All sessions.</param>
/// <param name="router">For the subscriptions of sessions that end.</param>
/// <param name="intake">For wills.</param>
/// <param name="limits">How many may be here.</param>
/// <param name="time">For when wills are published.</param>
/// <param name="refused">Told of wills that may not be published any more.</param>
internal sealed class Reception(SessionTable table, Router router, Intake intake, BrokerLimits limits, TimeProvider time, Action<Refusal> refused)
{
    private static readonly TimeSpan EndInterval = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly HashSet<Connection> _connections = [];
    private readonly Dictionary<ClientSession, Connection> _owners = [];

    /// <summary>A connection comes in.</summary>
    /// <returns>False when there are too many.</returns>
    public bool Enter(Connection connection)
    {
        lock (_gate)
            return _connections.Count < limits.Connections && _connections.Add(connection);
    }

    /// <summary>Whether a client has a session, or may begin one.</summary>
    public bool HasRoomFor(string clientId, MemoryWatch memory)
    {
        lock (_gate)
            return (table.Count < limits.Sessions && !memory.IsFull) || table.TryFind(clientId, out _);
    }

    /// <summary>Keeps a client's will.</summary>
    public KeptWill Keep(string clientId, Will will) => table.Keep(clientId, will);

    /// <summary>How many clients, sessions and subscriptions there are.</summary>
    public BrokerStatistics Count()
    {
        lock (_gate)
            return new BrokerStatistics { Clients = _owners.Count, Sessions = table.Count, Subscriptions = table.All.Sum(session => session.Subscriptions.Count) };
    }

    /// <summary>All connections that are here.</summary>
    public Connection[] All()
    {
        lock (_gate)
            return [.. _connections];
    }

    /// <summary>Gives a connection its session, once whoever used it has gone [MQTT-3.1.4-3].</summary>
    public async ValueTask<Opened> OpenAsync(Connection connection, ConnectPacket connect, string clientId, TimeSpan now)
    {
        while (true)
        {
            if (TryOpen(connection, connect, clientId, now, out var opened, out var owner))
            {
                await PublishWillAsync(opened.Will, opened.Earlier, now);
                return opened;
            }
            owner!.Close(ReasonCode.SessionTakenOver, "another connection uses its client identifier");
            await owner.Ended;
        }
    }

    /// <summary>A connection goes.</summary>
    public async ValueTask LeaveAsync(Connection connection, ClientSession? session, KeptWill? will, uint expiry, TimeSpan now)
    {
        lock (_gate)
        {
            _connections.Remove(connection);
            if (session is not null)
            {
                var expiresAt = now + TimeSpan.FromSeconds(expiry);
                lock (session.Gate)
                    session.Disconnected(expiresAt);
                _owners.Remove(session);
                table.Leave(session, will, expiresAt, now);
            }
        }
        if (session is not null)
            await CleanUpAsync(now);
    }

    /// <summary>Publishes wills that are due, and ends sessions whose time is over.</summary>
    public async ValueTask CleanUpAsync(TimeSpan now)
    {
        List<(ClientSession Session, KeptWill Will)> wills = [];
        IReadOnlyList<ClientSession> over;
        lock (_gate)
        {
            foreach (var (session, will) in table.Due(now))
            {
                if (will is not null)
                    wills.Add((session, will));
            }
            over = table.Over(now);
        }
        foreach (var session in over)
        {
            lock (_gate) // For each anew: thousands may end at once, each with a thousand subscriptions.
            {
                if (table.IsOver(session, now))
                    End(session);
            }
        }
        foreach (var (session, will) in wills)
            await PublishWillAsync(will, session, now);
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
                if (!table.TryFind(clientId, out var session) || (ending is not null && session != ending))
                    return ending is not null;
                if (!_owners.TryGetValue(session, out owner))
                    table.Expire(ending = session, now());
            }
            if (owner is not null)
            {
                owner.Close(ReasonCode.AdministrativeAction, "its session was ended");
                await owner.Ended.WaitAsync(cancellationToken);
                continue;
            }
            await CleanUpAsync(now());
            if (ending is not null)
                await Task.Delay(EndInterval, time, cancellationToken); // The host's queue may be full.
        }
    }

    private bool TryOpen(Connection connection, ConnectPacket connect, string clientId, TimeSpan now, out Opened opened, out Connection? owner)
    {
        lock (_gate)
        {
            opened = default;
            owner = null;
            if (table.TryFind(clientId, out var known) && _owners.TryGetValue(known, out owner))
                return false;
            var session = table.Open(connect, clientId, now, out var will);
            if (known is not null && known != session)
                router.Forget(known);
            _owners[session] = connection;
            opened = new Opened(session, session == known, known, will);
            return true;
        }
    }

    // The host forgets the identifiers of a session that is over; while its queue is full, the session stays.
    private void End(ClientSession session)
    {
        var forgetting = new Incoming { Kind = IncomingKind.SessionChange, ClientId = session.ClientId, IdChange = new IdChange(IdChangeKind.AllForgotten, 0) };
        if (!intake.TryTake(forgetting))
            return;
        table.Remove(session);
        router.Forget(session);
    }

    private async ValueTask PublishWillAsync(KeptWill? kept, ClientSession? session, TimeSpan now)
    {
        if (kept is null || session is null)
            return;
        var will = kept.Will;
        if (!session.Permissions.LetPublish(will.Topic, session.ClientId))
        {
            kept.Forget();
            refused(new Refusal(RefusalKind.Message, session.ClientId, ReasonCode.NotAuthorized, will.Topic));
            return;
        }
        var message = Message.Of(will, now);
        try
        {
            await intake.TakeAsync(new Incoming { Kind = IncomingKind.Message, ClientId = session.ClientId, Message = message, Will = kept, IsRouted = true, Received = time.GetUtcNow() });
        }
        catch (ChannelClosedException)
        {
            kept.Forget(); // The broker is being stopped: its own end is no client's death.
        }
    }
}

/// <summary>A session that was opened.</summary>
/// <param name="Session">The session.</param>
/// <param name="IsPresent">It is an earlier one.</param>
/// <param name="Earlier">The earlier one, gone on with or not; null for none.</param>
/// <param name="Will">The will of the earlier one, whose time has come by that.</param>
internal readonly record struct Opened(ClientSession Session, bool IsPresent, ClientSession? Earlier, KeptWill? Will);
