using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>All sessions by client identifier, with what happens to them while their clients are away: expiry, and wills that wait.</summary>
/// <param name="limits">What each may take up.</param>
/// <param name="journal">Where they are kept.</param>
/// <param name="drops">Told of messages that do not reach their clients.</param>
internal sealed class SessionRegistry(SessionLimits limits, Journal journal, DropCounters drops)
{
    private readonly Dictionary<string, ClientSession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<ClientSession, Absence> _away = [];
    private readonly Deadlines _wills = new();
    private readonly Deadlines _ends = new();
    private readonly List<(ClientSession, PendingWill?)> _overdue = [];
    private long _lastWill;
    private long _willBytes;

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>The memory of all wills, in bytes, about. Asked by anybody.</summary>
    public long WillBytes => Interlocked.Read(ref _willBytes);

    /// <summary>The approximate memory of what waits in all of them, in bytes. It visits every one.</summary>
    public long QueuedBytes() => _sessions.Values.Sum(static session => session.QueuedBytes);

    /// <summary>Goes on with a session of an earlier process.</summary>
    /// <param name="clientId">Whose.</param>
    /// <param name="hostIds">QoS 2 identifiers that the host has stored.</param>
    /// <param name="ownIds">Those that the journal has.</param>
    /// <param name="expiresAt">Until when its client has to come back.</param>
    public ClientSession Restore(string clientId, IReadOnlyCollection<ushort> hostIds, IReadOnlyCollection<ushort> ownIds, TimeSpan expiresAt)
    {
        var session = _sessions[clientId] = new ClientSession(clientId, limits, journal, drops, hostIds, ownIds);
        SetAway(session, expiresAt, will: null, willAt: TimeSpan.MaxValue);
        return session;
    }

    /// <summary>Goes on with a will of an earlier process, the oldest first. A session that was not to outlive its connection has ended with that.</summary>
    /// <param name="kept">The will.</param>
    /// <param name="permissions">What its client may do.</param>
    /// <param name="now">The time.</param>
    public void Restore(WillKept kept, Permissions permissions, TimeSpan now)
    {
        _lastWill = Math.Max(_lastWill, kept.Number);
        var session = _sessions.GetValueOrDefault(kept.ClientId) ?? Restore(kept.ClientId, [], [], now);
        var (expiresAt, earlier) = _away[session];
        if (earlier is not null) // It belongs to a session that had ended already; the process ended before the host had the will.
            _overdue.Add((session, earlier));
        var will = Add(kept, permissions);
        SetAway(session, expiresAt, will, kept.DueAt ?? Min(now + will.Delay, expiresAt));
    }

    /// <summary>Keeps a client's will.</summary>
    /// <param name="session">Its session.</param>
    /// <param name="will">What it says.</param>
    /// <param name="permissions">What it may do.</param>
    public PendingWill Keep(ClientSession session, Will will, Permissions permissions)
    {
        var number = Interlocked.Increment(ref _lastWill);
        var kept = Add(new WillKept(session.ClientId, number, will, DueAt: null) { User = session.User }, permissions);
        kept.Keep(dueAt: null);
        return kept;
    }

    /// <summary>Finds one.</summary>
    public bool TryFind(string clientId, [NotNullWhen(true)] out ClientSession? session) => _sessions.TryGetValue(clientId, out session);

    /// <summary>Whether the session of a client identifier belongs to another user. A session that is over belongs to nobody.</summary>
    /// <param name="clientId">The client identifier.</param>
    /// <param name="user">The user who asks for it.</param>
    /// <param name="now">The time.</param>
    /// <param name="owner">The other user.</param>
    public bool IsOfAnother(string clientId, string? user, TimeSpan now, [NotNullWhen(true)] out string? owner)
    {
        owner = _sessions.TryGetValue(clientId, out var session) && !IsOver(session, now) && !ClientSession.IsOf(session.User, user) ? session.User : null;
        return owner is not null;
    }

    /// <summary>Goes on with a session, or begins one [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-3.1.2-6].</summary>
    /// <param name="connect">What the client asked for.</param>
    /// <param name="clientId">Its identifier, chosen for it where it has none.</param>
    /// <param name="user">The user who owns it from now on; null if nobody knows.</param>
    /// <param name="now">The time.</param>
    /// <param name="will">A will whose time has come, because the session that it waited with is over [MQTT-3.1.3-9].</param>
    public ClientSession Open(ConnectPacket connect, string clientId, string? user, TimeSpan now, out PendingWill? will)
    {
        will = null;
        if (_sessions.TryGetValue(clientId, out var session))
        {
            var absence = TakeAway(session);
            if (!connect.CleanStart && now < absence.ExpiresAt)
            {
                absence.Will?.Forget(); // [MQTT-3.1.3-9]
                session.User = user ?? session.User;
                return session;
            }
            will = absence.Will;
        }
        return _sessions[clientId] = new ClientSession(clientId, limits, journal, drops, [], []) { User = user };
    }

    /// <summary>Ends a session.</summary>
    public void Remove(ClientSession session)
    {
        TakeAway(session);
        _sessions.Remove(session.ClientId);
    }

    /// <summary>A client is gone.</summary>
    /// <param name="session">Its session.</param>
    /// <param name="will">What it left behind; null when it took leave.</param>
    /// <param name="expiresAt">When the session is over.</param>
    /// <param name="now">The time.</param>
    public void Leave(ClientSession session, PendingWill? will, TimeSpan expiresAt, TimeSpan now)
    {
        var willAt = will is null ? TimeSpan.MaxValue : Min(now + will.Delay, expiresAt); // [MQTT-3.1.2-8], [MQTT-3.1.3-9]
        SetAway(session, expiresAt, will, willAt);
        if (willAt > now)
            will?.Keep(willAt);
    }

    /// <summary>The time of a session whose client is away is over, and that of its will has come.</summary>
    public void Expire(ClientSession session, TimeSpan now)
    {
        var will = _away[session].Will;
        SetAway(session, now, will, will is null ? TimeSpan.MaxValue : now);
    }

    /// <summary>Wills whose time has come.</summary>
    public IReadOnlyList<(ClientSession Session, PendingWill? Will)> Due(TimeSpan now)
    {
        var due = new List<(ClientSession Session, PendingWill? Will)>(_overdue);
        _overdue.Clear();
        foreach (var session in _wills.Due(now, int.MaxValue))
        {
            var absence = _away[session];
            due.Add((session, absence.Will));
            SetAway(session, absence.ExpiresAt, will: null, willAt: TimeSpan.MaxValue);
        }
        return due;
    }

    /// <summary>Sessions whose time is over [MQTT-4.1.0-2].</summary>
    /// <param name="now">The time.</param>
    /// <param name="most">How many at once.</param>
    public IReadOnlyList<ClientSession> Over(TimeSpan now, int most) => _ends.Due(now, most);

    /// <summary>The time of a session is over, but it cannot end yet: it is looked at again at a time.</summary>
    public void Postpone(ClientSession session, TimeSpan at) => _ends.Set(session, at);

    /// <summary>Whether the time of a session is over.</summary>
    public bool IsOver(ClientSession session, TimeSpan now) => _away.TryGetValue(session, out var absence) && now >= absence.ExpiresAt;

    private PendingWill Add(WillKept kept, Permissions permissions)
    {
        Interlocked.Add(ref _willBytes, kept.Will.Size);
        return new PendingWill(journal, kept, permissions, will => Interlocked.Add(ref _willBytes, -will.Size));
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void SetAway(ClientSession session, TimeSpan expiresAt, PendingWill? will, TimeSpan willAt)
    {
        _away[session] = new Absence(expiresAt, will);
        _wills.Set(session, willAt);
        _ends.Set(session, expiresAt);
    }

    private Absence TakeAway(ClientSession session)
    {
        _away.Remove(session, out var absence);
        _wills.Remove(session);
        _ends.Remove(session);
        return absence;
    }

    private readonly record struct Absence(TimeSpan ExpiresAt, PendingWill? Will);
}
