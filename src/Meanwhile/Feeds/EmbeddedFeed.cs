using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Meanwhile.Mqtt.Delivery;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Meanwhile.Feeds;

/// <summary>Readings that publishers send straight to the embedded broker: a publish is acknowledged only after its commit.</summary>
internal sealed class EmbeddedFeed : IFeed
{
    // MQTTnet's broker awaits each publish before it reads that connection's next one, so this bounds connections, not messages.
    private const int QueueLength = 4096;

    private readonly Channel<Delivery> _queue = Channel.CreateBounded<Delivery>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly ConcurrentDictionary<long, TaskCompletionSource> _waiting = new();
    private readonly string _filter;
    private readonly CancellationTokenSource _closing = new();
    private EmbeddedBroker? _broker;
    private long _lastNumber;

    private EmbeddedFeed(string filter) => _filter = filter;

    /// <inheritdoc/>
    public ChannelReader<Delivery> Deliveries => _queue.Reader;

    /// <summary>Where its broker listens.</summary>
    public IPEndPoint EndPoint => _broker!.EndPoint;

    /// <summary>Starts the broker.</summary>
    /// <param name="endPoint">An address of this machine; port 0 takes a free one.</param>
    /// <param name="filter">Which topics hold readings; others pass through.</param>
    /// <param name="logger">For where it listens.</param>
    public static async Task<EmbeddedFeed> StartAsync(IPEndPoint endPoint, string filter, ILogger logger)
    {
        var feed = new EmbeddedFeed(filter);
        feed._broker = await EmbeddedBroker.StartAsync(endPoint, feed.InterceptAsync, logger);
        return feed;
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _queue.Writer.TryComplete();
    }

    /// <inheritdoc/>
    public int Acknowledge(IReadOnlyList<Delivery> committed)
    {
        var acknowledged = 0;
        foreach (var delivery in committed)
        {
            if (!_waiting.TryRemove(delivery.Ticket.Number, out var waiting))
                continue;
            waiting.TrySetResult();
            acknowledged++;
        }
        return acknowledged;
    }

    /// <inheritdoc/>
    public async ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        if (_broker is not null)
            await _broker.PublishAsync(topic, payload.ToArray(), _closing.Token);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Publishers that still wait get no acknowledgement, and will send again.
        foreach (var waiting in _waiting.Values)
            waiting.TrySetCanceled();
        await _closing.CancelAsync();
        if (_broker is not null)
            await _broker.DisposeAsync();
        _closing.Dispose();
    }

    // Holds a publish until what came of it is durable.
    private async Task InterceptAsync(InterceptingPublishEventArgs publish)
    {
        var message = publish.ApplicationMessage;
        if (publish.ClientId.Length == 0 || MqttTopicFilterComparer.Compare(message.Topic, _filter) != MqttTopicFilterCompareResult.IsMatch)
            return;

        var number = Interlocked.Increment(ref _lastNumber);
        var isAcknowledged = message.QualityOfServiceLevel > MqttQualityOfServiceLevel.AtMostOnce;
        var committed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (isAcknowledged)
            _waiting[number] = committed;
        try
        {
            var delivery = new Delivery
            {
                Kind = DeliveryKind.Message,
                Topic = message.Topic,
                Payload = message.Payload.ToArray(),
                Dup = message.Dup,
                Ticket = new Ticket(1, number),
            };
            await _queue.Writer.WriteAsync(delivery, publish.CancellationToken);
            if (isAcknowledged)
                await committed.Task.WaitAsync(publish.CancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // Neither acknowledged nor passed on: the publisher has to send it again, to the next process perhaps.
            _waiting.TryRemove(number, out _);
            publish.ProcessPublish = false;
            publish.CloseConnection = true;
        }
    }
}
