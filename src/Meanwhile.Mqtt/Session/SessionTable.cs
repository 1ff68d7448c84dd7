using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>All sessions by client identifier, with what happens to them while their clients are away: expiry, and wills that wait.</summary>
internal sealed class SessionTable
{
    private readonly SessionLimits _limits;
    private readonly Dictionary<string, ClientSession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<ClientSession, Absence> _away = [];

    /// <summary>Goes on with the sessions of an earlier process.</summary>
    /// <param name="limits">What each may take up.</param>
    /// <param name="receivedIds">QoS 2 identifiers that it has stored, by client identifier.</param>
    /// <param name="restoredExpiry">How long their clients have to come back.</param>
    public SessionTable(SessionLimits limits, IReadOnlyDictionary<string, IReadOnlyCollection<ushort>> receivedIds, TimeSpan restoredExpiry)
    {
        _limits = limits;
        foreach (var (clientId, ids) in receivedIds)
        {
            var session = _sessions[clientId] = new ClientSession(clientId, ids, limits);
            _away[session] = new Absence(restoredExpiry, Will: null, WillAt: TimeSpan.MaxValue);
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>Every one.</summary>
    public IEnumerable<ClientSession> All => _sessions.Values;

    /// <summary>Finds one.</summary>
    public bool TryFind(string clientId, [NotNullWhen(true)] out ClientSession? session) => _sessions.TryGetValue(clientId, out session);

    /// <summary>Goes on with a session, or begins one [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-3.1.2-6].</summary>
    /// <param name="connect">What the client asked for.</param>
    /// <param name="clientId">Its identifier, chosen for it where it has none.</param>
    /// <param name="will">A will whose time has come, because the session that it waited with is over [MQTT-3.1.3-9].</param>
    public ClientSession Open(ConnectPacket connect, string clientId, out Will? will)
    {
        will = null;
        if (_sessions.TryGetValue(clientId, out var session))
        {
            _away.Remove(session, out var absence);
            if (!connect.CleanStart)
                return session;
            will = absence.Will;
        }
        return _sessions[clientId] = new ClientSession(clientId, [], _limits);
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
    /// <param name="expiry">Seconds that the session lives on.</param>
    /// <param name="now">The time.</param>
    public void Leave(ClientSession session, Will? will, uint expiry, TimeSpan now)
    {
        var delay = TimeSpan.FromSeconds(will?.Properties.Number(PropertyId.WillDelayInterval) ?? 0);
        var expiresAt = expiry == uint.MaxValue ? TimeSpan.MaxValue : now + TimeSpan.FromSeconds(expiry);
        _away[session] = new Absence(expiresAt, will, will is null ? TimeSpan.MaxValue : Min(now + delay, expiresAt)); // [MQTT-3.1.2-8], [MQTT-3.1.3-9]
    }

    /// <summary>Wills whose time has come.</summary>
    public IReadOnlyList<(ClientSession Session, Will? Will)> Due(TimeSpan now)
    {
        var due = _away.Where(entry => now >= entry.Value.WillAt).Select(entry => (entry.Key, entry.Value.Will)).ToList();
        foreach (var (session, _) in due)
            _away[session] = _away[session] with { Will = null, WillAt = TimeSpan.MaxValue };
        return due;
    }

    /// <summary>Sessions whose time is over [MQTT-3.1.2-23].</summary>
    public IReadOnlyList<ClientSession> Over(TimeSpan now) => [.. _away.Where(entry => now >= entry.Value.ExpiresAt).Select(entry => entry.Key)];

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private readonly record struct Absence(TimeSpan ExpiresAt, Will? Will, TimeSpan WillAt);
}
