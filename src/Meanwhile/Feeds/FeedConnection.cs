using System.Net.Sockets;
using System.Threading.Channels;
using MQTTnet.Exceptions;
using MQTTnet.LowLevelClient;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>One connection to a broker, after CONNACK: a reader, a single writer, and a sign of life now and then.</summary>
/// <param name="client">Connected.</param>
/// <param name="session">The half of the session that outlives the connection.</param>
/// <param name="filter">What to subscribe to; null when the session is subscribed already.</param>
/// <param name="oldFilter">What to unsubscribe from first: a persistent session keeps its old subscriptions.</param>
/// <param name="subscribed">Called once the broker has accepted the subscription.</param>
/// <param name="refused">Called when the broker does not take a result.</param>
/// <param name="clientId">For what is said.</param>
/// <param name="keepAlive">The longest silence that was agreed on.</param>
/// <param name="time">For the signs of life.</param>
internal sealed class FeedConnection(ILowLevelMqttClient client, FeedSession session, string? filter, string? oldFilter, Action subscribed, Action<MqttPubAckReasonCode> refused, string clientId, TimeSpan keepAlive, TimeProvider time)
{
    private const ushort SubscribeId = 1;
    private const ushort UnsubscribeId = 2;

    // A signal, not a queue: one is as good as many, so a second one may be dropped.
    private readonly Channel<bool> _wakeUp = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _leaving;
    private volatile bool _pingDue;
    private volatile bool _handingOver;
    private long _lastReceived = time.GetTimestamp();

    /// <summary>Something may be there to be sent.</summary>
    public void WakeUp() => _wakeUp.Writer.TryWrite(true);

    /// <summary>DISCONNECT was sent: the end of the connection is no failure.</summary>
    public bool HasLeft { get; private set; }

    /// <summary>Takes leave once everything that may be sent has been sent, and what we published is acknowledged. The broker keeps the session.</summary>
    public Task LeaveAsync()
    {
        _leaving = true;
        WakeUp();
        return _left.Task;
    }

    /// <summary>Runs until the connection ends.</summary>
    /// <exception cref="BrokerException">Why it ended.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        WakeUp();
        Task[] loops = [ReceiveAsync(ends.Token), SendAsync(ends.Token), ShowSignsOfLifeAsync(ends.Token)];
        var first = await Task.WhenAny(loops).ConfigureAwait(false);
        await ends.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _left.TrySetResult();
        try
        {
            await first.ConfigureAwait(false);
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttProtocolViolationException or IOException or SocketException or ObjectDisposedException)
        {
            throw new BrokerException(BrokerFailure.Describe(e), e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BrokerException("the connection was aborted", e);
        }
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        _handingOver = true;
        await session.ForgottenAsync().WaitAsync(cancellationToken);
        _handingOver = false;
        if (oldFilter is not null)
            await client.SendAsync(new MqttUnsubscribePacket { PacketIdentifier = UnsubscribeId, TopicFilters = [oldFilter] }, cancellationToken);
        if (filter is not null)
            await client.SendAsync(SubscribePacket(filter), cancellationToken);
        while (true)
        {
            var packet = await client.ReceiveAsync(cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            if (packet is null)
                throw new BrokerException("the connection was closed");
            Volatile.Write(ref _lastReceived, time.GetTimestamp());
            if (Interpret(packet) is not { } delivery)
                continue;
            _handingOver = true; // A full queue is the store's slowness, not the broker's silence.
            await session.HandOverAsync(delivery, cancellationToken);
            Volatile.Write(ref _lastReceived, time.GetTimestamp());
            _handingOver = false;
        }
    }

    private Delivery? Interpret(MqttPacket packet)
    {
        switch (packet)
        {
            case MqttPublishPacket publish:
                return session.Received(publish);
            case MqttPubRelPacket release:
                return session.Released(release.PacketIdentifier);
            case MqttPubAckPacket acknowledgement:
                if (acknowledgement.ReasonCode >= MqttPubAckReasonCode.UnspecifiedError)
                    refused(acknowledgement.ReasonCode);
                session.ResultAcknowledged(acknowledgement.PacketIdentifier);
                WakeUp();
                return null;
            case MqttSubAckPacket answer when answer.ReasonCodes.Exists(code => code >= MqttSubscribeReasonCode.UnspecifiedError):
                throw new UserException($"the broker refuses the subscription to '{filter}' ({answer.ReasonCodes[0]}): check TOPIC and what this user may read");
            case MqttSubAckPacket:
                subscribed();
                return FeedSession.Subscribed(filter!);
            case MqttDisconnectPacket { ReasonCode: MqttDisconnectReasonCode.SessionTakenOver }:
                throw BrokerFailure.TakenOver(clientId);
            case MqttDisconnectPacket disconnect:
                throw new BrokerException($"the broker ended the connection: {disconnect.ReasonCode} {disconnect.ReasonString}".TrimEnd());
            default:
                return null; // PINGRESP, UNSUBACK.
        }
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in _wakeUp.Reader.ReadAllAsync(cancellationToken))
        {
            if (_pingDue)
            {
                _pingDue = false;
                await client.SendAsync(MqttPingReqPacket.Instance, cancellationToken);
            }
            while (session.NextToSend() is { } packet)
                await client.SendAsync(packet, cancellationToken);
            if (_leaving && session.NothingToSend)
            {
                HasLeft = true;
                await client.SendAsync(new MqttDisconnectPacket(), cancellationToken);
                _left.TrySetResult();
            }
        }
    }

    private async Task ShowSignsOfLifeAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(keepAlive / 2, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (!_handingOver && time.GetElapsedTime(Volatile.Read(ref _lastReceived)) > keepAlive * 1.5)
                throw new BrokerException("the broker has gone silent");
            _pingDue = true;
            WakeUp();
        }
    }

    private static MqttSubscribePacket SubscribePacket(string filter) => new()
    {
        PacketIdentifier = SubscribeId,
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
