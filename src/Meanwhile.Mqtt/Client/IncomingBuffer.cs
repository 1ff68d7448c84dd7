using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>
/// What a client has read and the host has not completed, bounded by count and by memory. It is handed over in one go. What the end of a connection keeps from the host goes in
/// first next time: the receiver knows it already, and takes its redelivery for a duplicate.
/// </summary>
internal sealed class IncomingBuffer
{
    private const int QueueLength = 8192;
    private const int MostItems = 64;
    private const int EnoughBytes = 64 * 1024;

    // In a small container less than elsewhere: it is not the only thing that takes memory.
    private static readonly long MostBytes = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8, 1 << 20, 64 << 20);

    private readonly IncomingQueue _queue = new(QueueLength, MostBytes);
    private readonly MessagePool _pool = new();
    private readonly Stack<Message> _blank = new();
    private readonly Stack<Message> _free = new();
    private readonly LinkedListNode<Signal> _place = new(new Signal());
    private Incoming[] _items = new Incoming[MostItems];
    private int _count;
    private int _bytes;
    private volatile bool _isClosed;

    /// <summary>The other end.</summary>
    public ChannelReader<Incoming> Reader => _queue;

    /// <summary>Nothing is taken in any more.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Enough has come together to be handed over.</summary>
    public bool IsFull => _count >= MostItems || _bytes >= EnoughBytes;

    /// <summary>A message out of what the server has sent.</summary>
    public Message Read(string topic, in PublishPacket publish, TimeSpan now)
    {
        if (_blank.Count == 0)
            _pool.Take(_blank, MostItems);
        if (!_blank.TryPop(out var message))
            message = new Message { Topic = topic };
        message.Become(topic, publish, now, keepsIdentifiers: true);
        return message;
    }

    /// <summary>Adds something, to be handed over with what comes next.</summary>
    public void Add(in Incoming incoming)
    {
        if (_count == _items.Length)
            Array.Resize(ref _items, _count * 2);
        _items[_count++] = incoming;
        _bytes += incoming.Message?.Size ?? 0;
    }

    /// <summary>Hands over what there is; waits while the host's queue is full.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_count == 0)
            return ValueTask.CompletedTask;
        Took(_queue.Put(_items.AsSpan(0, _count)));
        return _count == 0 ? ValueTask.CompletedTask : FlushLaterAsync(cancellationToken);
    }

    /// <summary>The host is done with these: their memory is used again.</summary>
    public void Complete(ReadOnlySpan<Incoming> batch)
    {
        var bytes = 0L;
        foreach (ref readonly var incoming in batch)
        {
            if (incoming.Message is not { } message)
                continue;
            bytes += message.Size;
            _free.Push(message);
        }
        _pool.Give(_free);
        _queue.Give(bytes);
    }

    /// <summary>Takes nothing in any more; what is here can still be read.</summary>
    public void Close()
    {
        _isClosed = true;
        _queue.Close();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FlushLaterAsync(CancellationToken cancellationToken)
    {
        Took(await _queue.PutAsync(_items.AsMemory(0, _count), _place, cancellationToken));
        if (_isClosed)
            Took(_count); // It stays unacknowledged, and comes again.
        else if (_count > 0)
            cancellationToken.ThrowIfCancellationRequested();
    }

    private void Took(int count)
    {
        _items.AsSpan(count, _count - count).CopyTo(_items);
        _items.AsSpan(_count - count, count).Clear();
        _count -= count;
        _bytes = 0;
        foreach (ref readonly var left in _items.AsSpan(0, _count))
            _bytes += left.Message?.Size ?? 0;
    }
}
