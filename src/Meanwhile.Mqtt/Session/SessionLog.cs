using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>What one session has to remember through a crash, on its way to the journal. One that does not outlive its connection leaves nothing there, and pays nothing.</summary>
/// <remarks>Appending says in which batch a change is; 0 stands for nothing to wait for.</remarks>
internal sealed class SessionLog(Journal journal, ClientSession session) : ISenderLog
{
    // Received QoS 2 identifiers that are kept here: others are the host's, or nobody's.
    private readonly HashSet<ushort> _ids = [];

    /// <summary>The session is kept.</summary>
    public bool IsOn { get; private set; }

    /// <summary>The batch up to which everything is durable.</summary>
    public long Committed => journal.Committed;

    /// <summary>Goes on where an earlier process stopped.</summary>
    /// <param name="ids">What it kept of received identifiers.</param>
    public void Restore(IEnumerable<ushort> ids)
    {
        IsOn = true;
        _ids.UnionWith(ids);
    }

    /// <summary>From here on it is kept.</summary>
    public void Open(uint expiry)
    {
        IsOn = journal.IsKept;
        if (IsOn)
            journal.Append(new SessionOpened(session.ClientId, expiry) { User = session.User }, null);
    }

    /// <summary>The client is gone.</summary>
    public void Leave(TimeSpan expiresAt, long lastSent, uint? expiry)
    {
        if (IsOn)
            journal.Append(new SessionLeft(session.ClientId, expiresAt, lastSent, expiry), null);
    }

    /// <summary>The session is over.</summary>
    public void End()
    {
        if (IsOn)
            journal.Append(new SessionEnded(session.ClientId), null);
        IsOn = false;
    }

    /// <summary>It is subscribed to something.</summary>
    public void Subscribe(SubscriptionRequest request, uint? identifier)
    {
        if (IsOn)
            journal.Append(new SubscriptionAdded(session.ClientId, request, identifier), null);
    }

    /// <summary>It is not any more.</summary>
    public void Unsubscribe(string filter)
    {
        if (IsOn)
            journal.Append(new SubscriptionRemoved(session.ClientId, filter), null);
    }

    /// <summary>A message waits for the client.</summary>
    public long Queue(long number, in Outgoing outgoing) => IsOn && outgoing.Qos > 0
        ? journal.Append(new MessageQueued(session.ClientId, number, outgoing.Message, outgoing.Qos, outgoing.Retain, outgoing.Identifiers), session)
        : 0;

    /// <summary>PUBREC came for it.</summary>
    public long Release(long number) => IsOn ? journal.Append(new MessageReleased(session.ClientId, number), session) : 0;

    /// <summary>It has arrived.</summary>
    public long Finish(long number) => IsOn ? journal.Append(new MessageFinished(session.ClientId, number), session) : 0;

    /// <summary>The client has used an identifier at QoS 2.</summary>
    public long ReceiveId(ushort packetId) => IsOn && _ids.Add(packetId) ? journal.Append(new IdReceived(session.ClientId, packetId), null) : 0;

    /// <summary>The client has released it.</summary>
    public long ReleaseId(ushort packetId) => IsOn && _ids.Remove(packetId) ? journal.Append(new IdReleased(session.ClientId, packetId), null) : 0;
}
