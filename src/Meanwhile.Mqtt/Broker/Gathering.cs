using System.Runtime.CompilerServices;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What one connection has read and the host is to complete: it is handed over in one go, at the latest before anything is waited for.</summary>
/// <param name="intake">To whom.</param>
internal sealed class Gathering(Intake intake)
{
    private const int MostItems = 64;
    private const int MostBytes = 64 * 1024;

    private readonly Stack<Message> _blank = new();
    private readonly Signal _room = new();
    private Incoming[] _items = [];
    private int _count;
    private int _expected;
    private int _bytes;

    /// <summary>A message out of what the client has sent.</summary>
    public Message Read(string topic, in PublishPacket publish, TimeSpan now)
    {
        if (_blank.Count == 0)
            intake.Pool.Take(_blank, _expected + 1);
        if (!_blank.TryPop(out var message))
            message = new Message { Topic = topic };
        message.Become(topic, publish, now);
        return message;
    }

    /// <summary>Adds something.</summary>
    public ValueTask AddAsync(in Incoming incoming)
    {
        if (!intake.IsHeld(incoming))
        {
            intake.Finish(incoming);
            return ValueTask.CompletedTask;
        }
        if (_count == _items.Length)
            Array.Resize(ref _items, Math.Min(MostItems, (_count * 2) + 1));
        _items[_count++] = incoming;
        _bytes += incoming.Message?.Size ?? 0;
        return _count < MostItems && _bytes < MostBytes ? ValueTask.CompletedTask : FlushAsync();
    }

    /// <summary>Hands over what there is; waits while the host's queue is full.</summary>
    /// <exception cref="System.Threading.Channels.ChannelClosedException">Nothing is taken in any more.</exception>
    public ValueTask FlushAsync()
    {
        intake.Pool.Give(_blank);
        if (_count == 0)
            return ValueTask.CompletedTask;
        var (items, count) = (_items, _count);
        (_count, _expected, _bytes) = (0, count, 0);
        var put = intake.Queue.Put(items.AsSpan(0, count));
        return put == count ? ValueTask.CompletedTask : FlushLaterAsync(items.AsMemory(put, count - put));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FlushLaterAsync(ReadOnlyMemory<Incoming> items) => await intake.Queue.PutAsync(items, _room);
}
