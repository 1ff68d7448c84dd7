using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Brings back what an earlier process has kept.</summary>
/// <param name="sessions">All sessions.</param>
/// <param name="router">For subscriptions and retained messages.</param>
/// <param name="permissionsOf">What a client may do, by its user and its client identifier.</param>
/// <param name="expiresAt">Until when clients have to come back of which nothing else is known.</param>
/// <param name="now">The time: clients that were here when the process ended leave now.</param>
internal sealed class Restoration(SessionRegistry sessions, Router router, Func<string?, string, Permissions> permissionsOf, TimeSpan expiresAt, TimeSpan now)
{
    /// <summary>Does so.</summary>
    /// <param name="changes">What the broker has kept.</param>
    /// <param name="hostIds">QoS 2 identifiers that the host has stored, by client identifier.</param>
    public void Restore(IEnumerable<Change> changes, IReadOnlyDictionary<string, IReadOnlyCollection<ushort>> hostIds)
    {
        var found = new Dictionary<string, Found>(StringComparer.Ordinal);
        var wills = new List<WillKept>();
        foreach (var change in changes)
        {
            switch (change)
            {
                case SessionOpened opened:
                    found.Add(opened.ClientId, new Found(opened));
                    break;
                case SubscriptionAdded added:
                    found[added.ClientId].Subscriptions.Add(added);
                    break;
                case IdReceived received:
                    found[received.ClientId].Ids.Add(received.PacketId);
                    break;
                case MessageQueued queued:
                    found[queued.ClientId].Messages.Add(queued);
                    break;
                case SessionLeft left:
                    found[left.ClientId].Left = left;
                    break;
                case WillKept will:
                    wills.Add(will);
                    break;
                case RetainedChanged { Message: { } message }:
                    router.Restore(message);
                    break;
            }
        }
        foreach (var (clientId, session) in found)
            Restore(clientId, session, hostIds.GetValueOrDefault(clientId, []));
        foreach (var (clientId, ids) in hostIds.Where(host => !found.ContainsKey(host.Key)))
            sessions.Restore(clientId, ids, [], expiresAt).Permissions = permissionsOf(null, clientId);
        foreach (var will in wills)
            sessions.Restore(will, permissionsOf(will.User, will.ClientId), now);
    }

    private void Restore(string clientId, Found found, IReadOnlyCollection<ushort> hostIds)
    {
        var ends = found.Left?.ExpiresAt ?? now + TimeSpan.FromSeconds(found.Opened.Expiry);
        var session = sessions.Restore(clientId, hostIds, found.Ids, ends);
        (session.User, session.Permissions) = (found.Opened.User, permissionsOf(found.Opened.User, clientId));
        session.Restore(found.Ids, found.Messages, found.Left?.LastSent);
        foreach (var subscription in found.Subscriptions)
            router.Restore(session, subscription.Request, subscription.Identifier);
        if (found.Left is null)
            session.Disconnected(ends);
    }

    private sealed class Found(SessionOpened opened)
    {
        public SessionOpened Opened { get; } = opened;

        public List<SubscriptionAdded> Subscriptions { get; } = [];

        public List<ushort> Ids { get; } = [];

        public List<MessageQueued> Messages { get; } = [];

        public SessionLeft? Left { get; set; }
    }
}
