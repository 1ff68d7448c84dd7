using System.Threading.Channels;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Shared;

namespace Meanwhile.Mqtt.Client;

/// <summary>
/// An MQTT 5.0 and 3.1.1 client whose host decides when a message is acknowledged, and which connects again for as long as it takes. What is published or asked for while there is
/// no connection waits for the next one.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(5);

    // A connection of this length says that the server is well.
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(5);

    private readonly ClientOptions _options;
    private readonly ClientState _state;
    private readonly ClientHandshake _handshake;
    private readonly IncomingBuffer _buffer = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationTokenSource _over = new();
    private volatile ClientConnection? _connection;
    private Task _running = Task.CompletedTask;
    private bool _isDisposed;

    /// <summary>A client that is not connected yet.</summary>
    /// <exception cref="ArgumentException">The options cannot be meant like this.</exception>
    public MqttClient(ClientOptions options)
    {
        if (options.Server.Scheme is not ("mqtt" or "mqtts" or "ws" or "wss"))
            throw new ArgumentException($"{options.Server}: expected mqtt://, mqtts://, ws:// or wss://", nameof(options));
        if (options.ReceiveMaximum == 0)
            throw new ArgumentException("Receive Maximum 0: expected 1 to 65535", nameof(options)); // [MQTT-5.0, 3.1.2.11.3]
        (_options, _state, _handshake) = (options, new ClientState(options), new ClientHandshake(options));
    }

    /// <summary>
    /// What the server sends, and changes of the session, in the order of receipt. A bounded queue: when it is full, the network waits. It ends when the client is told to stop, or
    /// has ended.
    /// </summary>
    public ChannelReader<Incoming> Incoming => _buffer.Reader;

    /// <summary>There is a connection that the server has accepted.</summary>
    public bool IsConnected => _connection is not null;

    /// <summary>How many messages at QoS 1 and 2 go out before the first is answered, where the server takes as many; as many as it takes at first.</summary>
    public int MostInFlight
    {
        set
        {
            lock (_state.Gate)
                _state.MostInFlight = value;
            _connection?.WakeUp();
        }
    }

    /// <summary>
    /// Connects, and connects again whenever the connection is lost. Told to stop, it takes nothing in any more; a connection stays until the client is disposed, so that what is in
    /// <see cref="Incoming"/> can still be acknowledged. To be called once.
    /// </summary>
    /// <exception cref="MqttClientException">The server refuses the client, and will go on doing so.</exception>
    public Task RunAsync(CancellationToken stop) => _running = RunUntilOverAsync(stop);

    /// <summary>
    /// What came of these is durable: acknowledgements go out, as far as they are next in the order of receipt. To be called in the order in which they were read, by one caller at a
    /// time, for whom the messages are gone with that: their memory is used again.
    /// </summary>
    /// <returns>How many messages are acknowledged by it; others came at QoS 0, or on a connection that is gone.</returns>
    public int Complete(ReadOnlySpan<Incoming> batch)
    {
        var acknowledged = 0;
        lock (_state.Gate)
        {
            foreach (ref readonly var incoming in batch)
                acknowledged += _state.Complete(incoming) ? 1 : 0;
        }
        _buffer.Complete(batch);
        _connection?.WakeUp();
        return acknowledged;
    }

    /// <summary>
    /// Publishes a message, after those before it. It is sent again on the next connection until the server has answered it, and sent as new when the server has lost the session; the
    /// payload must not change until then. Not to be awaited by whoever reads <see cref="Incoming"/>: the answer may be behind what is not read yet. Cancelled, it is
    /// neither waited for nor sent any more; but one at QoS 2 that was sent goes on to its end.
    /// </summary>
    /// <returns>
    /// The server's answer; Success at QoS 0 as soon as it is written, and before 5.0. What the server would end the connection for is not sent: PacketTooLarge, QosNotSupported,
    /// RetainNotSupported.
    /// </returns>
    /// <exception cref="ArgumentException">It is no message.</exception>
    /// <exception cref="OperationCanceledException">The client has ended, or the message has expired before it was sent.</exception>
    public Task<ReasonCode> PublishAsync(Message message, CancellationToken cancellationToken = default)
    {
        if ((Topic.FaultOf(message.Topic) ?? FaultOf(message)) is { } fault)
            throw new ArgumentException(fault, nameof(message));
        var answered = new TaskCompletionSource<ReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
        return WaitAsync(answered, () => _state.Add(new Outgoing(message, message.Qos, message.Retain, Answered: answered)), cancellationToken);
    }

    /// <summary>Subscribes, once everything is stored that has to be before: see <see cref="Delivery.IdChangeKind.AllForgotten"/>.</summary>
    /// <param name="subscriptions">At least one. Options that 3.1.1 does not know are not sent there.</param>
    /// <param name="identifier">Comes with each message that is due to them, in 5.0; 0 for none.</param>
    /// <param name="cancellationToken">Does not wait any more.</param>
    /// <returns>What became of each.</returns>
    public Task<IReadOnlyList<ReasonCode>> SubscribeAsync(IReadOnlyList<SubscriptionRequest> subscriptions, uint identifier = 0, CancellationToken cancellationToken = default)
    {
        CheckFilters([.. subscriptions.Select(subscription => subscription.Filter)]);
        if (subscriptions.Any(subscription => subscription.NoLocal && Topic.IsShare(subscription.Filter)))
            throw new ArgumentException("No Local on a shared subscription", nameof(subscriptions)); // [MQTT-3.8.3-4]
        List<SubscriptionRequest> all = [.. subscriptions];
        var properties = identifier > 0 ? new Properties(new Property(PropertyId.SubscriptionIdentifier, identifier)) : default;
        return AskAsync(PacketType.SubAck, all.Count, (writer, version, id) => new SubscribePacket(id, all, properties).Write(writer, version), cancellationToken);
    }

    /// <summary>Ends subscriptions.</summary>
    /// <returns>What became of each.</returns>
    public Task<IReadOnlyList<ReasonCode>> UnsubscribeAsync(IReadOnlyList<string> filters, CancellationToken cancellationToken = default)
    {
        CheckFilters(filters);
        List<string> all = [.. filters];
        return AskAsync(PacketType.UnsubAck, all.Count, (writer, version, id) => new UnsubscribePacket(id, all).Write(writer, version), cancellationToken);
    }

    /// <summary>Finishes what is in flight, within a few seconds, and takes leave of the server, which keeps the session if it is to.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _buffer.Close(); // Else a host that reads no more would keep acknowledgements from coming.
        if (_connection is { } connection)
            await connection.LeaveAsync().WaitAsync(LeaveTimeout, _options.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _closing.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _over.CancelAsync();
        _closing.Dispose();
        _over.Dispose();
    }

    private async Task RunUntilOverAsync(CancellationToken stop)
    {
        await using var stopped = stop.Register(_buffer.Close);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(stop, _closing.Token);
        try
        {
            await ConnectAgainAndAgainAsync(leave.Token);
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            // As it was told to.
        }
        finally
        {
            _buffer.Close();
            await _over.CancelAsync();
        }
    }

    private async Task ConnectAgainAndAgainAsync(CancellationToken stop)
    {
        var backoff = new Backoff(FirstWait, LongestWait);
        while (!stop.IsCancellationRequested)
        {
            long? accepted = null;
            try
            {
                await using var connection = await _handshake.ConnectAsync(_state.ClientId, stop);
                accepted = _options.Time.GetTimestamp();
                await UseAsync(connection);
                return;
            }
            catch (MqttClientException e)
            {
                e.WasConnected = accepted is not null;
                e.IsFinal |= e is { WasConnected: true, Reason: ReasonCode.SessionTakenOver }; // Two clients would take it from each other for ever.
                if (_options.Failed is { } failed)
                    await failed(e, stop);
                if (e.IsFinal)
                    throw;
            }
            if (accepted is { } since && _options.Time.GetElapsedTime(since) >= Short)
                backoff.Reset();
            await Task.Delay(backoff.Next(), _options.Time, stop);
        }
    }

    // Returns when leave was taken.
    private async Task UseAsync(OpenConnection open)
    {
        Incoming? change;
        lock (_state.Gate)
            change = _state.Connected(open.Answer, open.Version);
        using var connection = new ClientConnection(open, _state, _buffer, _options);
        _connection = connection;
        try
        {
            await connection.RunAsync(change, ServeAsync, _closing.Token);
        }
        finally
        {
            _connection = null;
            lock (_state.Gate)
                _state.Disconnected();
        }

        async Task ServeAsync(CancellationToken ends)
        {
            if (_options.Connected is { } connected)
                await connected(this, new Accepted(open.Version, open.Answer.SessionPresent, open.Answer.Properties), ends);
            await Task.Delay(Timeout.InfiniteTimeSpan, _options.Time, ends);
        }
    }

    private Task<IReadOnlyList<ReasonCode>> AskAsync(PacketType answer, int filters, Action<PacketWriter, ProtocolVersion, ushort> write, CancellationToken cancellationToken)
    {
        var request = new Request(answer, filters, write);
        return WaitAsync(request.Answered, () => _state.Add(request), cancellationToken);
    }

    // It is complete at once when the answer is read: whoever looks when the connection has ended sees what was answered.
    private Task<T> WaitAsync<T>(TaskCompletionSource<T> answered, Action add, CancellationToken cancellationToken)
    {
        var given = cancellationToken.UnsafeRegister(static (answered, token) => ((TaskCompletionSource<T>)answered!).TrySetCanceled(token), answered);
        var over = _over.Token.UnsafeRegister(static (answered, token) => ((TaskCompletionSource<T>)answered!).TrySetCanceled(token), answered);
        lock (_state.Gate)
            add();
        _connection?.WakeUp();
        _ = ForgetAsync();
        return answered.Task;

        async Task ForgetAsync()
        {
            await ((Task)answered.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await given.DisposeAsync();
            await over.DisposeAsync();
        }
    }

    private static string? FaultOf(Message message)
    {
        if (message.Qos is < 0 or > 2)
            return $"QoS {message.Qos}: expected 0, 1 or 2"; // [MQTT-3.3.1-4]
        if (message.Properties.Number(PropertyId.TopicAlias) is not null || message.Properties.Number(PropertyId.SubscriptionIdentifier) is not null)
            return "topic aliases and subscription identifiers are not for a message to carry"; // [MQTT-3.3.4-6]
        try
        {
            if (!message.Properties.IsEmpty)
                _ = Properties.FromBytes(message.Properties.ToBytes());
            return null;
        }
        catch (Exception e) when (e is ProtocolException or OverflowException)
        {
            return $"properties that a message cannot have: {e.Message}";
        }
    }

    private static void CheckFilters(IReadOnlyList<string> filters)
    {
        if (filters.Count == 0)
            throw new ArgumentException("no topic filter: expected at least one", nameof(filters)); // [MQTT-3.8.3-2], [MQTT-3.10.3-2]
        foreach (var filter in filters)
        {
            if ((Topic.FaultOfText(filter) ?? (Topic.IsFilter(filter) ? null : $"'{filter}' is no topic filter")) is { } fault)
                throw new ArgumentException(fault, nameof(filters)); // [MQTT-4.7.1-1]
        }
    }
}
