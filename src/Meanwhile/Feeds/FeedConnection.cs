using System.Collections.Concurrent;
using System.Threading.Channels;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>One connection to a broker, after CONNACK: a reader, a single writer, and a sign of life now and then.</summary>
/// <param name="channel">Connected.</param>
/// <param name="session">The half of the session that outlives the connection.</param>
/// <param name="packets">What is made of the packets that come.</param>
/// <param name="subscribe">Packets to be sent once the store has forgotten what the broker has forgotten.</param>
/// <param name="endsSession">The broker is not to keep the session when we leave, as it would otherwise.</param>
/// <param name="keepAlive">The longest silence that was agreed on.</param>
/// <param name="time">For the signs of life.</param>
internal sealed class FeedConnection(
    PacketChannel channel, FeedSession session, IncomingPackets packets, IReadOnlyList<MqttPacket> subscribe, bool endsSession, TimeSpan keepAlive, TimeProvider time)
{
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(1);

    // A signal, not a queue: one is as good as many, so a second one may be dropped.
    private readonly Channel<bool> _wakeUp = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentQueue<MqttPacket> _control = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _leaving;
    private volatile bool _handingOver;
    private long _lastHandedOver = time.GetTimestamp();

    /// <summary>Something may be there to be sent.</summary>
    public void WakeUp() => _wakeUp.Writer.TryWrite(true);

    // DISCONNECT with a Session Expiry Interval of 0, which the library leaves out [MQTT-5.0, 3.14.2.2.2].
    private static ReadOnlySpan<byte> EndOfSession => [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0];

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
        Task[] loops = [ShowSignsOfLifeAsync(ends.Token), ReceiveAsync(ends.Token), SendAsync(ends.Token)]; // The clock runs before anything is sent.
        var first = await Task.WhenAny(loops).ConfigureAwait(false);
        await ends.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _left.TrySetResult();
        try
        {
            await first.ConfigureAwait(false);
        }
        catch (BrokerException e) when (e.Answer is { } reason && channel.Version == MqttProtocolVersion.V500)
        {
            await SayFarewellAsync(reason);
            throw;
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
        HandedOver();
        foreach (var packet in subscribe)
            _control.Enqueue(packet);
        WakeUp();
        while (true)
        {
            var packet = await channel.ReceiveAsync(cancellationToken);
            var taken = packets.Interpret(packet, channel.Arrived);
            if (packet is MqttPubAckPacket or MqttUnsubAckPacket || taken is { Kind: DeliveryKind.Surplus })
                WakeUp(); // There is room for another result, or nothing is left to wait for; or something is to be unsubscribed from.
            if (taken is not { } delivery)
                continue;
            var handedOver = session.HandOverAsync(delivery, cancellationToken);
            if (handedOver.IsCompletedSuccessfully)
                continue;
            _handingOver = true; // A full queue is the store's slowness, not the broker's silence.
            await handedOver;
            HandedOver();
        }
    }

    private void HandedOver()
    {
        Volatile.Write(ref _lastHandedOver, time.GetTimestamp());
        _handingOver = false;
    }

    // Collects what there is, and sends it at once.
    private async Task SendAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in _wakeUp.Reader.ReadAllAsync(cancellationToken))
        {
            while ((_control.TryDequeue(out var packet) ? packet : session.NextToSend()) is { } next)
            {
                channel.Write(next);
                if (channel.IsFull)
                    await channel.FlushAsync(cancellationToken);
            }
            if (_leaving && session.NothingToSend && !HasLeft)
            {
                HasLeft = true;
                if (endsSession && channel.Version == MqttProtocolVersion.V500)
                    channel.Write(EndOfSession);
                else
                    channel.Write(new MqttDisconnectPacket());
            }
            await channel.FlushAsync(cancellationToken);
            if (HasLeft)
                _left.TrySetResult();
        }
    }

    private async Task ShowSignsOfLifeAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(keepAlive / 2, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (_control.TryPeek(out var waiting) && waiting is MqttPingReqPacket) // The ping of last time: the writer is stuck.
                throw new BrokerException("it takes nothing any more");
            if (!_handingOver && channel.Silence > keepAlive * 1.5 && time.GetElapsedTime(Volatile.Read(ref _lastHandedOver)) > keepAlive * 1.5)
                throw new BrokerException("it has gone silent");
            _control.Enqueue(MqttPingReqPacket.Instance);
            WakeUp();
        }
    }

    // The loops have ended, so nobody else writes.
    private async Task SayFarewellAsync(MqttDisconnectReasonCode reason)
    {
        using var timeout = new CancellationTokenSource(FarewellTimeout, time);
        try
        {
            channel.Write(new MqttDisconnectPacket { ReasonCode = reason });
            await channel.FlushAsync(timeout.Token);
        }
        catch (Exception e) when (e is BrokerException or OperationCanceledException)
        {
            // It does not listen.
        }
    }
}
