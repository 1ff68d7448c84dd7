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

    private EmbeddedFeed(MqttBroker broker, Refusals refusals, TimeProvider time) =>
        (_broker, _deliveries, _refusals, _time) = (broker, new IncomingReader(broker.Incoming), refusals, time);

    /// <inheritdoc/>
    public ChannelReader<Delivery> Deliveries => _deliveries;

    /// <summary>Where its broker listens.</summary>
    public IPEndPoint EndPoint => _broker.EndPoints[0];

    /// <summary>Starts the broker.</summary>
    /// <param name="settings">What a user decides of it.</param>
    /// <param name="store">Where it keeps what outlives the process, beside readings.</param>
    /// <param name="holds">Which topics hold readings; others pass through.</param>
    /// <param name="receivedIds">QoS 2 identifiers by client, as the store has them.</param>
    /// <param name="logger">For where it listens, and what it refuses.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up starting.</param>
    public static async Task<EmbeddedFeed> StartAsync(
        EmbeddedSettings settings,
        IBrokerStore store,
        Func<string, bool> holds,
        IReadOnlyDictionary<string, IReadOnlyCollection<ushort>> receivedIds,
        ILogger logger,
        TimeProvider time,
        CancellationToken stop)
    {
        var refusals = new Refusals(logger, time);
        var broker = await EmbeddedBroker.StartAsync(
            settings, store, options => options with { Holds = holds, ReceivedIds = receivedIds, Time = time }, refusals, logger, stop);
        return new EmbeddedFeed(broker, refusals, time);
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, _time, stop), _broker.Completion);
        _broker.StopTaking();
        if (_broker.Completion.IsCompleted)
            await _broker.Completion;
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
        await _broker.Completion;
    }
}
