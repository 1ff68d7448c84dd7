using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What one connection has read and the host is to complete: it is handed over in one go, at the latest before anything is waited for.</summary>
/// <param name="processor">To whom.</param>
/// <param name="drops">For messages at QoS 0 that end with the connection.</param>
/// <param name="closing">Cancelled when the connection is being closed.</param>
internal sealed class IncomingBatch(IncomingProcessor processor, DropCounters drops, CancellationToken closing)
{
    private const int MostItems = 64;
    private const int MostBytes = 64 * 1024;

    private readonly Stack<Message> _blank = new();
    private readonly LinkedListNode<Signal> _place = new(new Signal());
    private Incoming[] _items = [];
    private int _count;
    private int _expected;
    private int _bytes;

    /// <summary>A message out of what the client has sent.</summary>
    public Message Read(string topic, in PublishPacket publish, TimeSpan now)
    {
        if (_blank.Count == 0)
            processor.Pool.Take(_blank, _expected + 1);
        if (!_blank.TryPop(out var message))
            message = new Message { Topic = topic };
        message.Become(topic, publish, now);
        return message;
    }

    /// <summary>Adds something.</summary>
    public ValueTask AddAsync(in Incoming incoming)
    {
        if (!processor.IsHeld(incoming))
        {
            processor.Finish(incoming);
            return ValueTask.CompletedTask;
        }
        if (_count == _items.Length)
            Array.Resize(ref _items, Math.Min(MostItems, (_count * 2) + 1));
        _items[_count++] = incoming;
        _bytes += incoming.Message?.Size ?? 0;
        return _count < MostItems && _bytes < MostBytes ? ValueTask.CompletedTask : FlushAsync();
    }

    /// <summary>Hands over what there is; waits while the host's queue is full.</summary>
    /// <exception cref="ChannelClosedException">Nothing is taken in any more.</exception>
    /// <exception cref="OperationCanceledException">The connection is being closed.</exception>
    public ValueTask FlushAsync()
    {
        processor.Pool.Give(_blank);
        if (_count == 0)
            return ValueTask.CompletedTask;
        var (items, count) = (_items, _count);
        (_count, _expected, _bytes) = (0, count, 0);
        var put = processor.Queue.Put(items.AsSpan(0, count));
        return put == count ? ValueTask.CompletedTask : FlushLaterAsync(items.AsMemory(put, count - put));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FlushLaterAsync(ReadOnlyMemory<Incoming> items)
    {
        var put = await processor.Queue.PutAsync(items, _place, closing);
        if (put == items.Length)
            return;
        Withdraw(items.Span[put..]);
        closing.ThrowIfCancellationRequested();
        throw new ChannelClosedException();
    }

    // What the host will never have is forgotten, the last first: the client sends it again, but for what came at QoS 0.
    private void Withdraw(ReadOnlySpan<Incoming> items)
    {
        var session = items[0].Session!;
        var lost = 0;
        lock (session.Gate)
        {
            for (var i = items.Length - 1; i >= 0; i--)
            {
                session.Withdraw(items[i]);
                lost += items[i].Message?.Qos == 0 ? 1 : 0;
            }
        }
        drops.Add(DropKind.NotTakenIn, session.ClientId, lost);
    }
}
