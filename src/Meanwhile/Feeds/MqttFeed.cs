using System.Threading.Channels;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Stores;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Readings from a broker elsewhere, over a persistent session. Connects again for as long as it takes.</summary>
internal sealed class MqttFeed : IFeed
{
    private const uint ViewersExpiry = 5 * 60; // Seconds.

    private readonly bool _isViewer;
    private readonly FeedSubscription _subscription;
    private readonly BrokerLink _link;
    private readonly MqttClient _client;
    private readonly ReadyFile _ready;
    private readonly ResultSender _results;
    private readonly CompletedBatch _completed = new();
    private readonly TimeProvider _time;

    /// <summary>A feed of one filter's messages.</summary>
    /// <param name="settings">Which broker, and who we are.</param>
    /// <param name="filter">Of the messages.</param>
    /// <param name="stored">What the session was when the last process committed.</param>
    /// <param name="ready">Whether it is subscribed.</param>
    /// <param name="resultRefused">Called for each result that the broker does not take, from any thread.</param>
    /// <param name="logger">For coming and going.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isViewer">The session is new at first and lasts only minutes longer than a connection; in 3.1.1, where it would last for ever, not at all.</param>
    public MqttFeed(BrokerSettings settings, string filter, SessionState stored, ReadyFile ready, Action resultRefused, ILogger logger, TimeProvider time, bool isViewer = false)
    {
        (_ready, _time, _isViewer) = (ready, time, isViewer);
        _results = new ResultSender(new ResultRefusals(resultRefused, logger, time));
        _subscription = new FeedSubscription(filter, stored.Subscription, isViewer ? "STATS_TOPIC" : "TOPIC", settings.ClientId, logger);
        _link = new BrokerLink(settings, logger, time);
        _client = new MqttClient(_link.Options(ServeAsync, _results.Ended) with
        {
            CleanStart = isViewer,
            SessionExpiry = isViewer ? ViewersExpiry : uint.MaxValue,
            ReceivedIds = stored.ReceivedIds.GetValueOrDefault("", []),
        });
        Deliveries = new FeedReader(_client.Incoming, _subscription);
    }

    /// <inheritdoc/>
    public ChannelReader<Delivery> Deliveries { get; }

    /// <inheritdoc/>
    public bool IsReady => _ready.IsReady;

    /// <inheritdoc/>
    public Task RunAsync(CancellationToken stop) => _client.RunAsync(stop);

    /// <inheritdoc/>
    public int Acknowledge(IReadOnlyList<Delivery> committed)
    {
        var acknowledged = _client.Complete(_completed.Of(committed));
        _completed.Clear();
        return acknowledged;
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        _results.Add(topic, payload.ToArray());
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _results.SendAll();
        return _client.DisposeAsync();
    }

    private async Task ServeAsync(MqttClient client, Accepted accepted, CancellationToken ends)
    {
        _results.Connected(client, accepted);
        try
        {
            await _subscription.SubscribeAsync(client, accepted, _link.Connections, hadNone: _isViewer && accepted.Version != ProtocolVersion.V5, ends);
            _ready.Set(true);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, ends);
        }
        finally
        {
            _ready.Set(false);
        }
    }
}
