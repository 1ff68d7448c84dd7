using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Meanwhile.Feeds;

namespace Meanwhile.Pipeline.Bench;

/// <summary>Deliveries as a connection would have decoded them, made in place: the seed's payloads, evenly over some series, in the order of time.</summary>
internal sealed class PreparedFeed : ChannelReader<Delivery>, IFeed
{
    private const int Slots = 8192; // More than a batch holds, so that none is overwritten before its commit.
    private const int TimeAt = 29;

    private readonly string[] _topics;
    private readonly byte[][] _payloads;
    private readonly SteppedTime _time;
    private readonly int _aSecond;
    private readonly long _count;
    private long _next;

    /// <summary>A feed that ends after so many deliveries.</summary>
    /// <param name="aSecond">How many of them belong to one second of their own time.</param>
    public PreparedFeed(long count, int series, int aSecond, SteppedTime time)
    {
        (_count, _aSecond, _time) = (count, aSecond, time);
        _topics = [.. Enumerable.Range(0, series).Select(i => series == 1 ? "DATA" : $"plant/{i}/temperature")];
        _payloads = [.. Enumerable.Range(0, Slots).Select(i => System.Text.Encoding.UTF8.GetBytes($$"""{"number": {{10 + (i % 90)}}, "epochtime": "1700000000"}"""))];
    }

    /// <summary>How many results were published.</summary>
    public long Results { get; private set; }

    public ChannelReader<Delivery> Deliveries => this;

    public override bool TryRead([MaybeNullWhen(false)] out Delivery item)
    {
        if (_next == _count)
        {
            item = default;
            return false;
        }
        if (_next % _aSecond == 0)
            _time.Step();
        var payload = _payloads[_next % Slots];
        Utf8Formatter.TryFormat(_time.Seconds, payload.AsSpan(TimeAt), out _);
        item = new Delivery { Kind = DeliveryKind.Message, Topic = _topics[_next % _topics.Length], Payload = payload };
        _next++;
        return true;
    }

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => new(_next < _count);

    public Task RunAsync(CancellationToken stop) => Task.CompletedTask;

    public int Acknowledge(IReadOnlyList<Delivery> committed) => committed.Count;

    public ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        Results++;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A clock that goes on by a second when it is told to. Its timers are the system's.</summary>
internal sealed class SteppedTime : TimeProvider
{
    public long Seconds { get; private set; } = 1_700_000_000;

    public void Step() => Seconds++;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeSeconds(Seconds);
}
