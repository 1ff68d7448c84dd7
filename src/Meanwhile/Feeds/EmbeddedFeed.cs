using System.Net;
using System.Threading.Channels;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Readings that publishers send straight to the embedded broker: a publish is acknowledged only after its commit.</summary>
internal sealed class EmbeddedFeed : IFeed
{
    private readonly EmbeddedBroker _embedded;
    private readonly MqttBroker _broker;
    private readonly IncomingReader _deliveries;
    private readonly TimeProvider _time;
    private readonly CompletedBatch _completed = new();
    private volatile bool _stopped;

    private EmbeddedFeed(EmbeddedBroker embedded, TimeProvider time) =>
        (_embedded, _broker, _deliveries, _time) = (embedded, embedded.Broker, new IncomingReader(embedded.Broker.Incoming), time);

    /// <inheritdoc/>
    public ChannelReader<Delivery> Deliveries => _deliveries;

    /// <inheritdoc/>
    public bool IsReady => !_stopped;

    /// <summary>Where its broker listens.</summary>
    public IPEndPoint EndPoint => _broker.EndPoints[0];

    /// <summary>What its broker has to do.</summary>
    public BrokerStatistics Statistics => _broker.Statistics;

    /// <summary>The limit on memory of its broker, in bytes.</summary>
    public long MemoryLimit { get; private init; }

    /// <inheritdoc cref="MqttBroker.QueuedBytes"/>
    public long QueuedBytes => _broker.QueuedBytes;

    /// <summary>Queues of its clients that are at least half full, the fullest first.</summary>
    public IReadOnlyList<QueueFill> FillingQueues => _broker.FillingQueues;

    /// <summary>Where it listens for clients of this process, if there is to be one: after all others.</summary>
    public IPEndPoint InsideEndPoint => _broker.EndPoints[^1];

    /// <summary>Starts the broker.</summary>
    /// <param name="options">How it is to be.</param>
    /// <param name="store">Where it keeps what outlives the process, beside readings.</param>
    /// <param name="holds">Which topics hold readings; others pass through.</param>
    /// <param name="receivedIds">QoS 2 identifiers by client, as the store has them.</param>
    /// <param name="logger">For where it listens, and what it refuses.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up starting.</param>
    public static async Task<EmbeddedFeed> StartAsync(
        EmbeddedOptions options,
        BrokerFile store,
        Func<string, bool> holds,
        IReadOnlyDictionary<string, IReadOnlyCollection<ushort>> receivedIds,
        ILogger logger,
        TimeProvider time,
        CancellationToken stop)
    {
        var embedded = await EmbeddedBroker.StartAsync(options, store, broker => broker with { Holds = holds, ReceivedIds = receivedIds }, logger, time, stop);
        return new EmbeddedFeed(embedded, time) { MemoryLimit = options.Limits.Memory };
    }

    /// <inheritdoc cref="EmbeddedBroker.Reload"/>
    public void Reload() => _embedded.Reload();

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, _time, stop), _embedded.Completion);
        _stopped = true;
        _broker.StopTaking();
        if (_embedded.Completion.IsCompleted)
            await _embedded.Completion;
    }

    /// <inheritdoc/>
    public int Acknowledge(IReadOnlyList<Delivery> committed)
    {
        var acknowledged = _broker.Complete(_completed.Of(committed));
        _completed.Clear();
        return acknowledged;
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        _broker.Publish(new Message { Topic = topic, Payload = payload.ToArray(), Qos = 1 });
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _embedded.DisposeAsync();
}
