using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>One connection to a server, after CONNACK: a reader, a single writer, and a sign of life now and then.</summary>
/// <param name="connection">What was accepted.</param>
/// <param name="state">What outlives it.</param>
/// <param name="incoming">Takes in what comes.</param>
/// <param name="options">What was agreed on.</param>
internal sealed class ClientConnection(OpenConnection connection, ClientState state, IncomingBuffer incoming, ClientOptions options) : IDisposable
{
    // Of one write, about.
    private const int Enough = 64 * 1024;

    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _keepAlive = connection.Answer.Properties.Number(PropertyId.ServerKeepAlive) is { } seconds ? TimeSpan.FromSeconds(seconds) : options.KeepAlive; // [MQTT-3.2.2-21]
    private readonly Signal _work = new();
    private readonly PacketWriter _writer = new();
    private readonly TopicCache _topics = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastReceived = options.Time.GetTimestamp();
    private volatile bool _isWaiting; // For the server. Otherwise there is something to handle, or the host is slow.
    private volatile bool _isPingDue;
    private volatile bool _isLeaving;
    private volatile bool _hasLeft;

    /// <summary>There may be something to send.</summary>
    public void WakeUp() => _work.Set();

    /// <summary>Takes leave once everything that may be sent has been sent, and what was published is acknowledged.</summary>
    public Task LeaveAsync()
    {
        _isLeaving = true;
        WakeUp();
        return _ended.Task;
    }

    /// <summary>Runs until it has taken leave.</summary>
    /// <param name="change">What the host has to store before anything else; null for nothing.</param>
    /// <param name="serve">The host's own work with it.</param>
    /// <param name="cancellationToken">Cuts it off.</param>
    /// <exception cref="MqttClientException">Why it has ended.</exception>
    public async Task RunAsync(Incoming? change, Func<CancellationToken, Task> serve, CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // In this order: the clock runs, and the host knows of the connection, before anything is sent.
        Task[] loops = [ShowSignsOfLifeAsync(ends.Token), serve(ends.Token), ReceiveAsync(change, ends.Token), SendAsync(ends.Token)];
        var first = await Task.WhenAny(loops);
        if (_hasLeft) // It is the server that closes: cut off by us, it might not read that we have left.
            await loops[2].WaitAsync(FarewellTimeout, options.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ends.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.TrySetResult();
        try
        {
            await first;
        }
        catch (MqttClientException) when (!_hasLeft)
        {
            throw;
        }
        catch (Exception e) when (ClientHandshake.IsOfNetwork(e) || e is MqttClientException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            if (_hasLeft)
                return;
            if (e is ProtocolException broken && connection.Version == ProtocolVersion.V5)
                await SayFarewellAsync(broken.Reason);
            throw MqttClientException.Of(e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private async Task ReceiveAsync(Incoming? change, CancellationToken cancellationToken)
    {
        if (change is { } first)
            incoming.Add(first);
        await HandOverAsync(cancellationToken); // What the last connection has left as well.
        while (true)
        {
            var reading = connection.Input.ReadAsync(cancellationToken);
            _isWaiting = !reading.IsCompleted;
            var read = await reading;
            Volatile.Write(ref _lastReceived, options.Time.GetTimestamp());
            _isWaiting = false;
            var (buffer, received) = (read.Buffer, options.Time.GetUtcNow());
            try
            {
                while (Frame.TryRead(ref buffer, options.MaximumPacketSize, connection.Version, out var frame))
                {
                    Handle(frame, received);
                    if (incoming.IsFull)
                        await HandOverAsync(cancellationToken);
                }
            }
            finally
            {
                connection.Input.AdvanceTo(buffer.Start, buffer.End);
            }
            await HandOverAsync(cancellationToken);
            if (read.IsCompleted)
                throw new MqttClientException("the connection was closed");
        }
    }

    private async ValueTask HandOverAsync(CancellationToken cancellationToken)
    {
        var handing = incoming.FlushAsync(cancellationToken);
        if (handing.IsCompletedSuccessfully)
            return;
        await handing;
        Volatile.Write(ref _lastReceived, options.Time.GetTimestamp()); // A full queue is the host's slowness, not the server's silence.
    }

    private void Handle(Frame frame, DateTimeOffset received)
    {
        switch (frame.Type)
        {
            case PacketType.Publish:
                Take(PublishPacket.Read(frame, connection.Version, _topics), received);
                break;
            case PacketType.PubRel:
                Release(PublishAckPacket.Read(frame, connection.Version));
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                var answer = PublishAckPacket.Read(frame, connection.Version);
                lock (state.Gate)
                    state.Answered(answer);
                WakeUp();
                break;
            case PacketType.SubAck or PacketType.UnsubAck:
                var answers = SubAckPacket.Read(frame, connection.Version);
                lock (state.Gate)
                    state.Answered(answers);
                WakeUp(); // It may be the last that was waited for.
                break;
            case PacketType.PingResp:
                PingPacket.Read(frame);
                lock (state.Gate)
                    state.Ponged();
                break;
            case PacketType.Disconnect when connection.Version == ProtocolVersion.V5:
                var end = DisconnectPacket.Read(frame, connection.Version);
                throw MqttClientException.Of("it ended the connection", end.Reason, end.Properties);
            default:
                throw ProtocolException.Error($"{frame.Type} is not for a server to send now");
        }
    }

    private void Take(in PublishPacket publish, DateTimeOffset received)
    {
        if (incoming.IsClosed)
            return; // It stays unacknowledged, and comes again.
        lock (state.Gate)
        {
            var message = incoming.Read(state.TopicOf(publish), publish, received - DateTimeOffset.UnixEpoch);
            incoming.Add(state.Publish(publish, message, received));
        }
    }

    private void Release(PublishAckPacket release)
    {
        if (incoming.IsClosed)
            return;
        lock (state.Gate)
            incoming.Add(state.Release(release.PacketId));
    }

    // Collects what there is, and sends it at once.
    private async Task SendAsync(CancellationToken cancellationToken)
    {
        await using var ending = cancellationToken.UnsafeRegister(static signal => ((Signal)signal!).Set(), _work);
        while (!_hasLeft)
        {
            while (!await WriteAsync(cancellationToken))
            {
            }
            if (!_hasLeft)
                await _work.WaitAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    // False when there may be more.
    private async ValueTask<bool> WriteAsync(CancellationToken cancellationToken)
    {
        bool isAll;
        if (_isPingDue)
        {
            _isPingDue = false;
            new PingPacket(PacketType.PingReq).Write(_writer);
        }
        lock (state.Gate)
        {
            isAll = state.Write(_writer, options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch, Enough);
            _hasLeft = isAll && _isLeaving && state.IsIdle;
        }
        if (_hasLeft)
            Farewell().Write(_writer, connection.Version);
        if (_writer.Length > 0)
            await connection.Stream.WriteAsync(_writer.Written, cancellationToken);
        _writer.Clear();
        return isAll;
    }

    // A session of this object's own ends with it.
    private DisconnectPacket Farewell() => new(
        PacketType.Disconnect,
        ReasonCode.Success,
        connection.Version == ProtocolVersion.V5 && options is { CleanStart: true, SessionExpiry: > 0 } ? new Properties(new Property(PropertyId.SessionExpiryInterval)) : default);

    private async Task ShowSignsOfLifeAsync(CancellationToken cancellationToken)
    {
        if (_keepAlive == TimeSpan.Zero)
            await Task.Delay(Timeout.InfiniteTimeSpan, options.Time, cancellationToken);
        using var timer = new PeriodicTimer(_keepAlive / 2, options.Time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (_isPingDue) // That of last time: the writer is stuck.
                throw new MqttClientException("it takes nothing any more");
            if (_isWaiting && options.Time.GetElapsedTime(Volatile.Read(ref _lastReceived)) > _keepAlive * 1.5)
                throw new MqttClientException("it has gone silent");
            _isPingDue = true;
            WakeUp();
        }
    }

    // The loops have ended, so nobody else writes.
    private async Task SayFarewellAsync(ReasonCode reason)
    {
        using var timeout = new CancellationTokenSource(FarewellTimeout, options.Time);
        try
        {
            _writer.Clear();
            new DisconnectPacket(PacketType.Disconnect, reason).Write(_writer, connection.Version);
            await connection.Stream.WriteAsync(_writer.Written, timeout.Token);
        }
        catch (Exception e) when (ClientHandshake.IsOfNetwork(e) || e is OperationCanceledException or InvalidOperationException)
        {
            // It does not listen.
        }
    }
}
