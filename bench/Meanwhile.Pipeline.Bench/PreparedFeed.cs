using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Meanwhile.Bench;
using Meanwhile.Feeds;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Pipeline.Bench;

/// <summary>Deliveries as a connection would have decoded them, made in place: the seed's payloads, evenly over some series, in the order of time.</summary>
internal sealed class PreparedFeed : ChannelReader<Delivery>, IFeed
{
    private const int FewestSlots = 8192; // More than a batch holds, so that none is overwritten before its commit.
    private const int WarmUpBatch = 4096;
    private const int TimeAt = 29;

    private readonly byte[][] _payloads;
    private readonly Message[] _messages;
    private readonly SteppedTime _time;
    private readonly double _aSecond;
    private readonly int _largestBatch;
    private readonly long _count;
    private readonly long _warmUp;
    private long _next;
    private int _batch;

    /// <summary>A feed that ends after so many deliveries.</summary>
    /// <param name="warmUp">How many come before these, and are not measured.</param>
    /// <param name="aSecond">How many of them belong to one second of their own time.</param>
    /// <param name="largestBatch">How many it has at once, after the warm-up.</param>
    public PreparedFeed(long warmUp, long count, int series, double aSecond, int largestBatch, SteppedTime time)
    {
        (_warmUp, _count, _aSecond, _largestBatch, _time) = (warmUp, warmUp + count, aSecond, largestBatch, time);
        string[] topics = [.. Enumerable.Range(0, series).Select(i => series == 1 ? "DATA" : $"plant/{i}/temperature")];
        var slots = series * ((FewestSlots + series - 1) / series);
        _payloads = [.. Enumerable.Range(0, slots).Select(i => System.Text.Encoding.UTF8.GetBytes($$"""{"number": {{10 + (i % 90)}}, "epochtime": "1700000000"}"""))];
        _messages = [.. _payloads.Select((payload, i) => new Message { Topic = topics[i % series], Payload = payload })];
    }

    /// <summary>Counts from the moment at which the windows are rebuilt and the warm-up is over.</summary>
    public RunMeter? Meter { get; private set; }

    /// <summary>How many results were published.</summary>
    public long Results { get; private set; }

    public ChannelReader<Delivery> Deliveries => this;

    public bool IsReady => true;

    public override bool TryRead([MaybeNullWhen(false)] out Delivery item)
    {
        if (_next == _count || _batch == (_next < _warmUp ? WarmUpBatch : _largestBatch))
        {
            item = default;
            return false;
        }
        _time.Step(1 / _aSecond);
        var slot = _next % _messages.Length;
        Utf8Formatter.TryFormat(_time.Seconds, _payloads[slot].AsSpan(TimeAt), out _);
        item = new Delivery { Kind = DeliveryKind.Message, Incoming = new Incoming { Kind = IncomingKind.Message, ClientId = "", Message = _messages[slot], Received = _time.GetUtcNow() } };
        _next++;
        _batch++;
        return true;
    }

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        _batch = 0;
        if (_next >= _warmUp)
            Meter ??= new RunMeter();
        return new(_next < _count);
    }

    public Task RunAsync(CancellationToken stop) => Task.CompletedTask;

    public int Acknowledge(IReadOnlyList<Delivery> committed) => committed.Count;

    public ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        Results++;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A clock that goes on when it is told to. Its timers are the system's.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private double _seconds = 1_700_000_000;

    public long Seconds => (long)_seconds;

    public void Step(double seconds) => _seconds += seconds;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeSeconds(Seconds);
}
