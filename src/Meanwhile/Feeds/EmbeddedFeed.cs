using System.Net;
using System.Threading.Channels;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Readings that publishers send straight to the embedded broker: a publish is acknowledged only after its commit.</summary>
internal sealed class EmbeddedFeed : IFeed
{
    private readonly MqttBroker _broker;
    private readonly IncomingReader _deliveries;
    private readonly Refusals _refusals;
    private readonly TimeProvider _time;
    private readonly List<Incoming> _committed = [];
    private volatile bool _stopped;

    private EmbeddedFeed(MqttBroker broker, Refusals refusals, TimeProvider time) =>
        (_broker, _deliveries, _refusals, _time) = (broker, new IncomingReader(broker.Incoming), refusals, time);

    /// <inheritdoc/>
    public ChannelReader<Delivery> Deliveries => _deliveries;

    /// <inheritdoc/>
    public bool IsReady => !_stopped;

    /// <summary>Where its broker listens.</summary>
    public IPEndPoint EndPoint => _broker.EndPoints[0];

    /// <summary>Starts the broker.</summary>
    /// <param name="endPoint">An address of this machine; port 0 takes a free one.</param>
    /// <param name="allowAnonymous">Also at an address that others can reach.</param>
    /// <param name="holds">Which topics hold readings; others pass through.</param>
    /// <param name="receivedIds">QoS 2 identifiers by client, as the store has them.</param>
    /// <param name="logger">For where it listens, and what it refuses.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up starting.</param>
    public static async Task<EmbeddedFeed> StartAsync(
        IPEndPoint endPoint,
        bool allowAnonymous,
        Func<string, bool> holds,
        IReadOnlyDictionary<string, IReadOnlyCollection<ushort>> receivedIds,
        ILogger logger,
        TimeProvider time,
        CancellationToken stop)
    {
        var refusals = new Refusals(logger, time);
        var broker = await EmbeddedBroker.StartAsync(
            endPoint, allowAnonymous, options => options with { Holds = holds, ReceivedIds = receivedIds, Time = time }, refusals, logger, stop);
        return new EmbeddedFeed(broker, refusals, time);
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopped = true;
        _broker.StopTaking();
    }

    /// <inheritdoc/>
    public int Acknowledge(IReadOnlyList<Delivery> committed)
    {
        _deliveries.TakeOldest(committed.Count, _committed);
        var acknowledged = _broker.Complete(_committed);
        _committed.Clear();
        return acknowledged;
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        _broker.Publish(new Message { Topic = topic, Payload = payload.ToArray(), Qos = 1 });
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _refusals.Sum();
    }
}
