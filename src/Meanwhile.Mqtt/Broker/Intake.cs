using System.Threading.Channels;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Where what clients send is completed: at once, or by the host in its own time.</summary>
/// <param name="holds">Which topics are the host's; null for none.</param>
/// <param name="router">For what is complete.</param>
internal sealed class Intake(Func<string, bool>? holds, Router router)
{
    // Shared by all connections: when it is full, sockets are not read, and TCP slows the publishers down.
    private const int QueueLength = 8192;

    private readonly Channel<Incoming> _held = Channel.CreateBounded<Incoming>(new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    /// <summary>What the host has to complete.</summary>
    public ChannelReader<Incoming> Held => _held.Reader;

    /// <summary>Takes something in; waits while the host's queue is full.</summary>
    /// <exception cref="ChannelClosedException">Nothing is taken in any more.</exception>
    public ValueTask TakeAsync(Incoming incoming)
    {
        if (IsHeld(incoming))
            return _held.Writer.TryWrite(incoming) ? ValueTask.CompletedTask : _held.Writer.WriteAsync(incoming, CancellationToken.None);
        Complete(incoming);
        return ValueTask.CompletedTask;
    }

    /// <summary>Takes something in, unless the host's queue is full.</summary>
    public bool TryTake(in Incoming incoming)
    {
        if (IsHeld(incoming))
            return _held.Writer.TryWrite(incoming);
        Complete(incoming);
        return true;
    }

    /// <summary>Takes nothing in any more.</summary>
    public void Stop() => _held.Writer.TryComplete();

    /// <summary>Something is durable, or as durable as it gets: its acknowledgement may go out, and its message to its subscribers.</summary>
    /// <returns>Whether it is acknowledged by that; not so at QoS 0, or when the connection is gone.</returns>
    public bool Complete(in Incoming incoming)
    {
        if (incoming is { Kind: IncomingKind.Message, Message: { } message })
            router.Route(message, incoming.Session);
        incoming.Completed?.TrySetResult();
        if (incoming.Session is not { } session)
            return false;
        lock (session.Gate)
            return session.Complete(incoming.Ticket);
    }

    // A change of the session alone is the host's business wherever it stores identifiers.
    private bool IsHeld(in Incoming incoming) => holds is not null && (incoming.Message is not { } message || holds(message.Topic));
}
