using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>All sessions by client identifier, with what happens to them while their clients are away: expiry, and wills that wait.</summary>
/// <param name="limits">What each may take up.</param>
/// <param name="journal">Where they are kept.</param>
/// <param name="drops">Told of messages that do not reach their clients.</param>
internal sealed class SessionTable(SessionLimits limits, Journal journal, Drops drops)
{
    private readonly Dictionary<string, ClientSession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<ClientSession, Absence> _away = [];
    private long _lastWill;

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>Every one.</summary>
    public IEnumerable<ClientSession> All => _sessions.Values;

    /// <summary>Goes on with a session of an earlier process.</summary>
    /// <param name="clientId">Whose.</param>
    /// <param name="hostIds">QoS 2 identifiers that the host has stored.</param>
    /// <param name="ownIds">Those that the journal has.</param>
    /// <param name="expiresAt">Until when its client has to come back.</param>
    public ClientSession Restore(string clientId, IReadOnlyCollection<ushort> hostIds, IReadOnlyCollection<ushort> ownIds, TimeSpan expiresAt)
    {
        var session = _sessions[clientId] = new ClientSession(clientId, limits, journal, drops, hostIds, ownIds);
        _away[session] = new Absence(expiresAt, Will: null, WillAt: TimeSpan.MaxValue);
        return session;
    }

    /// <summary>Goes on with a will of an earlier process. A session that was not to outlive its connection has ended with that.</summary>
    public void Restore(WillKept kept, TimeSpan now)
    {
        _lastWill = Math.Max(_lastWill, kept.Number);
        var session = _sessions.GetValueOrDefault(kept.ClientId) ?? Restore(kept.ClientId, [], [], now);
        var (will, expiresAt) = (new KeptWill(journal, kept.ClientId, kept.Number, kept.Will), _away[session].ExpiresAt);
        _away[session] = new Absence(expiresAt, will, kept.DueAt ?? Min(now + will.Delay, expiresAt));
    }

    /// <summary>Keeps a client's will.</summary>
    public KeptWill Keep(string clientId, Will will)
    {
        var kept = new KeptWill(journal, clientId, Interlocked.Increment(ref _lastWill), will);
        kept.Keep(dueAt: null);
        return kept;
    }

    /// <summary>Finds one.</summary>
    public bool TryFind(string clientId, [NotNullWhen(true)] out ClientSession? session) => _sessions.TryGetValue(clientId, out session);

    /// <summary>Goes on with a session, or begins one [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-3.1.2-6].</summary>
    /// <param name="connect">What the client asked for.</param>
    /// <param name="clientId">Its identifier, chosen for it where it has none.</param>
    /// <param name="now">The time.</param>
    /// <param name="will">A will whose time has come, because the session that it waited with is over [MQTT-3.1.3-9].</param>
    public ClientSession Open(ConnectPacket connect, string clientId, TimeSpan now, out KeptWill? will)
    {
        will = null;
        if (_sessions.TryGetValue(clientId, out var session))
        {
            _away.Remove(session, out var absence);
            if (!connect.CleanStart && now < absence.ExpiresAt)
            {
                absence.Will?.Forget(); // [MQTT-3.1.3-9]
                return session;
            }
            will = absence.Will;
        }
        return _sessions[clientId] = new ClientSession(clientId, limits, journal, drops, [], []);
    }

    /// <summary>Ends a session.</summary>
    public void Remove(ClientSession session)
    {
        _away.Remove(session);
        _sessions.Remove(session.ClientId);
    }

    /// <summary>A client is gone.</summary>
    /// <param name="session">Its session.</param>
    /// <param name="will">What it left behind; null when it took leave.</param>
    /// <param name="expiresAt">When the session is over.</param>
    /// <param name="now">The time.</param>
    public void Leave(ClientSession session, KeptWill? will, TimeSpan expiresAt, TimeSpan now)
    {
        var willAt = will is null ? TimeSpan.MaxValue : Min(now + will.Delay, expiresAt); // [MQTT-3.1.2-8], [MQTT-3.1.3-9]
        _away[session] = new Absence(expiresAt, will, willAt);
        if (willAt > now)
            will?.Keep(willAt);
    }

    /// <summary>The time of a session whose client is away is over, and that of its will has come.</summary>
    public void Expire(ClientSession session, TimeSpan now)
    {
        var will = _away[session].Will;
        _away[session] = new Absence(now, will, will is null ? TimeSpan.MaxValue : now);
    }

    /// <summary>Wills whose time has come.</summary>
    public IReadOnlyList<(ClientSession Session, KeptWill? Will)> Due(TimeSpan now)
    {
        var due = _away.Where(entry => now >= entry.Value.WillAt).Select(entry => (entry.Key, entry.Value.Will)).ToList();
        foreach (var (session, _) in due)
            _away[session] = _away[session] with { Will = null, WillAt = TimeSpan.MaxValue };
        return due;
    }

    /// <summary>Sessions whose time is over [MQTT-3.1.2-23].</summary>
    public IReadOnlyList<ClientSession> Over(TimeSpan now) => [.. _away.Where(entry => now >= entry.Value.ExpiresAt).Select(entry => entry.Key)];

    /// <summary>Whether the time of a session is over.</summary>
    public bool IsOver(ClientSession session, TimeSpan now) => _away.TryGetValue(session, out var absence) && now >= absence.ExpiresAt;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private readonly record struct Absence(TimeSpan ExpiresAt, KeptWill? Will, TimeSpan WillAt);
}
