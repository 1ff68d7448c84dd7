using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Where what clients send is completed: at once, or by the host in its own time.</summary>
/// <param name="holds">Which topics are the host's; null for none.</param>
/// <param name="router">For what is complete.</param>
/// <param name="journal">For what has to outlive the process.</param>
/// <param name="mostBytes">Of messages that the host has not completed yet.</param>
/// <param name="refused">Told of messages that the host refuses.</param>
internal sealed class IncomingProcessor(Func<string, bool>? holds, Router router, Journal journal, long mostBytes, Action<Refusal> refused)
{
    // Shared by all connections: when it is full, sockets are not read, and TCP slows the publishers down.
    private const int QueueLength = 8192;

    // What is finished under one lock.
    private const int GroupSize = 64;

    private readonly Stack<Message> _free = new();

    /// <summary>What the host has to complete.</summary>
    public IncomingQueue Queue { get; } = new(QueueLength, mostBytes);

    /// <summary>For messages that nobody has any more.</summary>
    public MessagePool Pool { get; } = new();

    /// <summary>A change of the session alone is the host's business wherever it stores identifiers.</summary>
    public bool IsHeld(in Incoming incoming) => holds is not null && (incoming.Message is not { } message || holds(message.Topic));

    /// <summary>Whether the host completes the messages of a topic.</summary>
    public bool IsHeld(string topic) => holds?.Invoke(topic) == true;

    /// <summary>Takes something in that comes from no packet; stands in line while the host's queue is full.</summary>
    /// <returns>False when nothing is taken in any more.</returns>
    public async ValueTask<bool> TakeAsync(Incoming incoming) =>
        TryTake(incoming) || await Queue.PutAsync(new[] { incoming }, new LinkedListNode<Signal>(new Signal()), CancellationToken.None) > 0;

    /// <summary>Takes something in, unless the host's queue is full or closed.</summary>
    public bool TryTake(in Incoming incoming)
    {
        if (IsHeld(incoming))
            return Queue.Put(new ReadOnlySpan<Incoming>(in incoming)) > 0;
        Finish(incoming);
        return true;
    }

    /// <summary>Completes what the host does not hold.</summary>
    public void Finish(in Incoming incoming) => _ = Finish(new ReadOnlySpan<Incoming>(in incoming), isHostsOwn: false, unused: null);

    /// <summary>The host has made these durable, or as durable as it gets: their acknowledgements may go out, and their messages to their subscribers. One caller at a time.</summary>
    /// <returns>How many messages are acknowledged by that, or by the next commit of the journal; others came at QoS 0, or on a connection that is gone.</returns>
    public int Complete(ReadOnlySpan<Incoming> batch)
    {
        var (acknowledged, bytes) = (0, 0L);
        for (var rest = batch; !rest.IsEmpty; rest = rest[Math.Min(GroupSize, rest.Length)..])
        {
            var group = rest[..Math.Min(GroupSize, rest.Length)];
            foreach (ref readonly var incoming in group)
                bytes += incoming.Message?.Size ?? 0;
            acknowledged += Finish(group, isHostsOwn: true, _free);
        }
        Pool.Give(_free);
        Queue.Give(bytes);
        return acknowledged;
    }

    // What has to be remembered of a message is committed together: who gets it, whether it is retained, and under which identifier it came.
    private int Finish(ReadOnlySpan<Incoming> group, bool isHostsOwn, Stack<Message>? unused)
    {
        var acknowledged = 0;
        Span<long> batches = stackalloc long[group.Length];
        lock (journal.Grouping)
        {
            for (var i = 0; i < group.Length; i++)
                batches[i] = Route(group[i], unused);
            for (var start = 0; start < group.Length;)
            {
                var end = start + 1;
                while (end < group.Length && group[end].Session == group[start].Session)
                    end++;
                acknowledged += Settle(group[start..end], batches[start..end], isHostsOwn);
                start = end;
            }
        }
        return acknowledged;
    }

    private long Route(in Incoming incoming, Stack<Message>? unused)
    {
        if (incoming.Message is not { } message)
            return 0;
        var routed = incoming is { IsRouted: true, IsRefused: false } ? router.Route(message, incoming.Session) : default;
        if (!routed.IsKept)
            unused?.Push(message);
        return routed.Batch;
    }

    // All of one session.
    private int Settle(ReadOnlySpan<Incoming> run, ReadOnlySpan<long> batches, bool isHostsOwn)
    {
        var acknowledged = 0;
        if (run[0].Session is not { } session)
        {
            foreach (ref readonly var incoming in run)
            {
                incoming.Completed?.TrySetResult();
                incoming.Will?.Forget(); // Together with what came of it.
            }
            return 0;
        }
        lock (session.Gate)
        {
            for (var i = 0; i < run.Length; i++)
            {
                ref readonly var incoming = ref run[i];
                if (incoming.IsRefused)
                {
                    session.Refuse(incoming);
                    refused(new Refusal(RefusalKind.Message, session.ClientId, ReasonCode.QuotaExceeded, incoming.Message!.Topic));
                    continue;
                }
                var isAcknowledged = MustWait(incoming, session, batches[i], isHostsOwn) && journal.TryWait(incoming) ? incoming.IsAcknowledged : incoming.Settle(session);
                acknowledged += isAcknowledged && incoming.Kind != IncomingKind.SessionChange ? 1 : 0;
            }
        }
        return acknowledged;
    }

    // What comes again on a kept session may be under way to the journal: it is not acknowledged before that has come to pass.
    private static bool MustWait(in Incoming incoming, ClientSession session, long batch, bool isHostsOwn)
    {
        batch = Math.Max(batch, session.Remember(incoming, isHostsOwn, hasCopies: batch > 0));
        return batch > 0 || (session.IsKept && incoming.Kind != IncomingKind.Message);
    }
}
