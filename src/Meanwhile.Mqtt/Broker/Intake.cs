using System.Threading.Channels;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Where what clients send is completed: at once, or by the host in its own time.</summary>
/// <param name="holds">Which topics are the host's; null for none.</param>
/// <param name="router">For what is complete.</param>
/// <param name="journal">For what has to outlive the process.</param>
/// <param name="mostBytes">Of messages that the host has not completed yet.</param>
internal sealed class Intake(Func<string, bool>? holds, Router router, Journal journal, long mostBytes)
{
    // Shared by all connections: when it is full, sockets are not read, and TCP slows the publishers down.
    private const int QueueLength = 8192;

    private readonly Channel<Incoming> _held = Channel.CreateBounded<Incoming>(new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly ByteBudget _budget = new(mostBytes);

    /// <summary>What the host has to complete.</summary>
    public ChannelReader<Incoming> Held => _held.Reader;

    /// <summary>Takes something in; waits while the host's queue is full.</summary>
    /// <exception cref="ChannelClosedException">Nothing is taken in any more.</exception>
    public ValueTask TakeAsync(Incoming incoming)
    {
        if (!IsHeld(incoming))
        {
            Finish(incoming, isHostsOwn: false);
            return ValueTask.CompletedTask;
        }
        var room = incoming.Message is { } message ? _budget.TakeAsync(message.Size) : ValueTask.CompletedTask;
        return room.IsCompletedSuccessfully && _held.Writer.TryWrite(incoming) ? ValueTask.CompletedTask : HandOverAsync(room, incoming);
    }

    /// <summary>Takes a change of a session in, unless the host's queue is full.</summary>
    public bool TryTake(in Incoming change)
    {
        if (IsHeld(change))
            return _held.Writer.TryWrite(change);
        Finish(change, isHostsOwn: false);
        return true;
    }

    /// <summary>Takes nothing in any more.</summary>
    public void Stop()
    {
        _held.Writer.TryComplete();
        _budget.Stop();
    }

    /// <summary>The host has made something durable, or as durable as it gets: its acknowledgement may go out, and its message to its subscribers.</summary>
    /// <returns>Whether it is acknowledged by that, or by the next commit of the journal; not so at QoS 0, or when the connection is gone.</returns>
    public bool Complete(in Incoming incoming)
    {
        if (incoming.Message is { } message)
            _budget.Give(message.Size);
        return Finish(incoming, isHostsOwn: true);
    }

    private async ValueTask HandOverAsync(ValueTask room, Incoming incoming)
    {
        await room;
        await _held.Writer.WriteAsync(incoming, CancellationToken.None);
    }

    // What has to be remembered of a message is committed together: who gets it, whether it is retained, and under which identifier it came.
    private bool Finish(in Incoming incoming, bool isHostsOwn)
    {
        lock (journal.Grouping)
        {
            var batch = incoming is { IsRouted: true, Message: { } message } ? router.Route(message, incoming.Session) : 0;
            if (incoming.Session is { } session && MustWait(incoming, session, batch, isHostsOwn) && journal.TryWait(incoming))
                return incoming.IsAcknowledged;
        }
        return incoming.Settle();
    }

    // What comes again on a kept session may be under way to the journal: it is not acknowledged before that has come to pass.
    private static bool MustWait(in Incoming incoming, ClientSession session, long batch, bool isHostsOwn)
    {
        lock (session.Gate)
        {
            batch = Math.Max(batch, session.Remember(incoming, isHostsOwn, hasCopies: batch > 0));
            return batch > 0 || (session.IsKept && incoming.Kind != IncomingKind.Message);
        }
    }

    // A change of the session alone is the host's business wherever it stores identifiers.
    private bool IsHeld(in Incoming incoming) => holds is not null && (incoming.Message is not { } message || holds(message.Topic));
}
