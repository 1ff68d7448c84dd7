using System.Threading.Channels;
using Meanwhile.Logging;
using Meanwhile.Shared;
using Meanwhile.Stores;
using Microsoft.Extensions.Logging;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>Readings from a broker elsewhere, over a persistent session. Connects again for as long as it takes.</summary>
internal sealed class MqttFeed : IFeed
{
    // MQTT 3.1.1 brokers do not say how much they take at once.
    private const int DefaultInFlight = 20;
    private const ushort SubscribeId = 1;
    private const ushort UnsubscribeId = 2;

    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(5);

    private readonly BrokerSettings _settings;
    private readonly string _filter;
    private readonly bool _isViewer;
    private readonly FeedSession _session;
    private readonly ConnectionAttempt _attempt;
    private readonly ConnectionLog _log;
    private readonly ReadyFile _ready;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ResultRefusals _refusals;
    private readonly CancellationTokenSource _closing = new();
    private volatile FeedConnection? _connection;
    private string? _subscription;
    private Task _running = Task.CompletedTask;

    /// <summary>A feed of one filter's messages.</summary>
    /// <param name="stored">What the session was when the last process committed.</param>
    /// <param name="resultRefused">Called for each result that the broker does not take, from any thread.</param>
    /// <param name="isViewer">The session is as short as this process, whose connections it outlives for minutes.</param>
    public MqttFeed(BrokerSettings settings, string filter, SessionState stored, ReadyFile ready, Action resultRefused, ILogger logger, TimeProvider time, bool isViewer = false)
    {
        (_settings, _filter, _isViewer, _ready, _logger, _time) = (settings, filter, isViewer, ready, logger, time);
        _refusals = new ResultRefusals(resultRefused, logger, time);
        _session = new FeedSession(stored.ReceivedIds.GetValueOrDefault("", []), _refusals, filter, logger);
        _subscription = stored.Subscription;
        _log = new ConnectionLog(settings, logger, time);
        _attempt = new ConnectionAttempt(settings, isViewer, _log, logger, time);
    }

    /// <inheritdoc/>
    public ChannelReader<Delivery> Deliveries => _session.Deliveries;

    /// <inheritdoc/>
    public bool IsReady => _ready.IsReady;

    /// <inheritdoc/>
    public Task RunAsync(CancellationToken stop) => _running = RunUntilStoppedAsync(stop);

    /// <inheritdoc/>
    public int Acknowledge(IReadOnlyList<Delivery> committed)
    {
        var acknowledged = _session.Committed(committed);
        _connection?.WakeUp();
        return acknowledged;
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        _session.AddResult(topic, payload.ToArray());
        _connection?.WakeUp();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.LeaveAsync().WaitAsync(LeaveTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _closing.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task RunUntilStoppedAsync(CancellationToken stop)
    {
        Exception? failure = null;
        using var stopped = stop.Register(() => _session.Stop(null));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(stop, _closing.Token);
        try
        {
            await ReconnectAsync(leave.Token);
        }
        catch (OperationCanceledException)
        {
        }
        catch (UserException e)
        {
            failure = e;
            throw;
        }
        finally
        {
            _session.Stop(failure);
        }
    }

    private async Task ReconnectAsync(CancellationToken stop)
    {
        var backoff = Backoff.ForBroker();
        var takeOvers = new TakeOverDetector(_time);
        while (!stop.IsCancellationRequested)
        {
            var isExplained = false;
            try
            {
                var (channel, answer) = await _attempt.ConnectAsync(stop);
                takeOvers.Accepted();
                using (channel)
                    await UseAsync(channel, answer);
            }
            catch (BrokerException e)
            {
                if (takeOvers.IsConnected)
                    _log.Lost(e.Message);
                else
                    _log.Away(e.Message);
                isExplained = (takeOvers.IsConnected && _session.Ended()) || e.Answer is not null; // The latter when we have ended it.
            }
            if (takeOvers.Ended(out var isTakeOver, isExplained))
                backoff.Reset();
            if (isTakeOver && !stop.IsCancellationRequested)
                throw BrokerFailure.TakenOver(_settings.ClientId);
            await Task.Delay(backoff.Next(), _time, stop);
        }
    }

    private async Task UseAsync(PacketChannel channel, MqttConnAckPacket accepted)
    {
        var resumed = accepted.IsSessionPresent;
        if (resumed && _subscription is null)
            Log.SessionUnknown(_logger, _settings.ClientId);
        if (!resumed && _subscription is not null)
            _log.SessionLost(wasNone: _isViewer && channel.Version == MqttProtocolVersion.V311);
        if (!resumed)
            _subscription = null;
        var isSubscribed = resumed && _subscription == _filter;
        var marks = resumed && !isSubscribed && channel.Version == MqttProtocolVersion.V500 && accepted.SubscriptionIdentifiersAvailable;
        var change = _session.Connected(resumed, accepted.ReceiveMaximum == 0 ? DefaultInFlight : accepted.ReceiveMaximum, accepted.MaximumPacketSize,
            atMostOnce: channel.Version == MqttProtocolVersion.V500 && accepted.MaximumQoS == MqttQualityOfServiceLevel.AtMostOnce, marks);
        await _session.HandOverAsync(change, _closing.Token);

        var keepAlive = accepted.ServerKeepAlive == 0 ? BrokerSettings.KeepAlive : TimeSpan.FromSeconds(accepted.ServerKeepAlive); // [MQTT-3.2.2-21]
        var packets = new IncomingPackets(_session, isSubscribed ? null : _filter, Subscribed, _settings.ClientId, _isViewer ? "STATS_TOPIC" : "TOPIC", _refusals);
        var connection = new FeedConnection(channel, _session, packets, isSubscribed ? [] : SubscribePackets(marks ? _session.SubscriptionIdentifier : 0), endsSession: _isViewer, keepAlive, _time);
        _connection = connection;
        if (isSubscribed)
            Subscribed();
        try
        {
            await connection.RunAsync(_closing.Token);
        }
        catch (Exception e) when ((e is BrokerException && connection.HasLeft) || (e is OperationCanceledException && _closing.IsCancellationRequested))
        {
        }
        finally
        {
            _connection = null;
            _ready.Set(false);
        }
    }

    // A persistent session keeps its old subscriptions. What both match is not missed in between.
    private IReadOnlyList<MqttPacket> SubscribePackets(uint identifier) => _subscription is { } old && old != _filter
        ? [SubscribePacket(_filter, identifier), new MqttUnsubscribePacket { PacketIdentifier = UnsubscribeId, TopicFilters = [old] }]
        : [SubscribePacket(_filter, identifier)];

    private void Subscribed()
    {
        _subscription = _filter;
        _log.Subscribed(_filter);
        _ready.Set(true);
    }

    private static MqttSubscribePacket SubscribePacket(string filter, uint identifier) => new()
    {
        PacketIdentifier = SubscribeId,
        SubscriptionIdentifier = identifier,
        TopicFilters =
        [
            new MqttTopicFilter
            {
                Topic = filter,
                QualityOfServiceLevel = MqttQualityOfServiceLevel.ExactlyOnce, // The publisher's own QoS decides.
                NoLocal = !filter.StartsWith("$share/", StringComparison.Ordinal), // Not our own results; no such thing when shared [MQTT-3.8.3-4].
                RetainHandling = MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly, // A retained reading is an old one: once is enough.
            },
        ],
    };
}
