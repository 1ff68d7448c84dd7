using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What becomes of sessions whose clients are away: their wills, and their end.</summary>
/// <param name="gate">Held while sessions are looked at.</param>
/// <param name="registry">All sessions.</param>
/// <param name="router">For the subscriptions of sessions that end.</param>
/// <param name="handover">For wills, and for what the host has to forget.</param>
/// <param name="time">For when wills are published.</param>
/// <param name="refused">Told of wills that may not be published any more.</param>
internal sealed class SessionExpiry(Lock gate, SessionRegistry registry, Router router, HandoverQueue handover, TimeProvider time, Action<Refusal> refused)
{
    // For a session that cannot end yet.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private const int EndedAtOnce = 256;

    /// <summary>Publishes wills that are due, and ends sessions whose time is over. It waits for nothing.</summary>
    public void CleanUp(TimeSpan now)
    {
        IReadOnlyList<ClientSession> over;
        do
        {
            lock (gate)
            {
                PublishDue(now);
                over = registry.Over(now, EndedAtOnce);
            }
            foreach (var session in over)
            {
                lock (gate) // For each anew: thousands may end at once, each with a thousand subscriptions.
                {
                    if (registry.IsOver(session, now))
                        End(session, now);
                }
            }
        }
        while (over.Count == EndedAtOnce);
    }

    /// <summary>Publishes wills that are due. The lock is held.</summary>
    public void PublishDue(TimeSpan now)
    {
        foreach (var (session, will) in registry.Due(now))
            Publish(will, session, now);
    }

    /// <summary>Publishes a will, if its client may still do so. The lock is held.</summary>
    public void Publish(PendingWill? kept, ClientSession session, TimeSpan now)
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
            lock (gate)
            {
                registry.Remove(session);
                router.Forget(session);
            }
        }
    }
}
