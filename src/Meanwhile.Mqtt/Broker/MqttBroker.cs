using System.Net;
using System.Threading.Channels;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>
/// An MQTT 3.1, 3.1.1 and 5.0 broker inside this process, whose host decides when a publish is acknowledged: an acknowledgement means that the host has completed it,
/// and only then do subscribers get the message.
/// </summary>
public sealed class MqttBroker : IAsyncDisposable
{
    private const int ExpiredAtOnce = 256;

    private static readonly TimeSpan HousekeepingInterval = TimeSpan.FromSeconds(1);

    private readonly BrokerParts _parts;
    private readonly Listeners _listeners;
    private readonly PeriodicTimer _timer;
    private readonly Task _housekeeping;
    private bool _isDisposed;

    private MqttBroker(BrokerParts parts, Listeners listeners)
    {
        (_parts, _listeners) = (parts, listeners);
        Completion = EndAsync();
        _timer = new PeriodicTimer(HousekeepingInterval, parts.Time);
        _housekeeping = KeepHouseAsync();
    }

    /// <summary>Where it listens, in the order of the listeners.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _listeners.EndPoints;

    /// <summary>
    /// What clients send to the topics that the host holds, and changes of their sessions, in the order of receipt of each client. A bounded queue: when it is
    /// full, the network waits. It ends when the broker is disposed.
    /// </summary>
    public ChannelReader<Incoming> Incoming => _parts.Incoming.Queue;

    /// <summary>What it has to do.</summary>
    public BrokerStatistics Statistics => _parts.Traffic.Into(_parts.Sessions.Count() with
    {
        Subscriptions = _parts.Router.Subscriptions,
        SubscriptionBytes = _parts.Router.SubscriptionBytes,
        Retained = _parts.Router.Retained,
        RetainedBytes = _parts.Router.RetainedBytes,
        HeldBytes = _parts.Incoming.Queue.Held,
        MessagesDropped = _parts.Router.Dropped,
        MessagesExpired = _parts.Drops[DropKind.Expired],
        MessagesTooLarge = _parts.Drops[DropKind.TooLarge],
        MessagesUnreadable = _parts.Drops[DropKind.Unreadable],
        MessagesUnsent = _parts.Drops[DropKind.Unsent],
        MessagesDiscarded = _parts.Drops[DropKind.Discarded],
        MessagesNotTakenIn = _parts.Drops[DropKind.NotTakenIn],
        MessagesWithoutMemory = _parts.Drops[DropKind.NoMemory],
    });

    /// <summary>The approximate memory of messages that wait for clients, in bytes. A message that waits for several clients counts for each. It visits all sessions.</summary>
    public long QueuedBytes => _parts.Sessions.QueuedBytes();

    /// <summary>Queues of clients that are at least half full, the fullest first.</summary>
    public IReadOnlyList<QueueFill> FillingQueues => _parts.Router.Filling();

    /// <summary>
    /// Ends when the broker is disposed; or with what made it impossible to commit, from then on it acknowledges nothing; or with what ended its work in the background: wills, keep
    /// alive and the end of sessions. Then it is to be disposed.
    /// </summary>
    public Task Completion { get; }

    /// <summary>Starts a broker.</summary>
    /// <exception cref="IOException">It cannot listen there.</exception>
    public static async Task<MqttBroker> StartAsync(BrokerOptions options, CancellationToken cancellationToken)
    {
        var parts = new BrokerParts(options);
        try
        {
            return new MqttBroker(parts, await Listeners.StartAsync(options, parts, cancellationToken));
        }
        catch
        {
            await parts.Journal.StopAsync();
            parts.Dispose();
            throw;
        }
    }

    /// <summary>
    /// What came of these is durable: acknowledgements go out, as far as they are next in the order of receipt, and messages go to their subscribers.
    /// To be called in the order in which they were read, by one caller at a time, for whom the messages are gone with that: their memory is used again.
    /// </summary>
    /// <returns>How many messages are acknowledged by it; others came at QoS 0, or on a connection that is gone.</returns>
    public int Complete(ReadOnlySpan<Incoming> batch)
    {
        var acknowledged = _parts.Incoming.Complete(batch);
        ClientSession? last = null;
        foreach (ref readonly var incoming in batch) // After all of them, so that many go out in one write.
        {
            if (incoming.Session == last)
                continue;
            last = incoming.Session;
            last?.WakeUp?.Invoke();
        }
        return acknowledged;
    }

    /// <summary>Publishes a message of the host's own to those who have subscribed to it.</summary>
    public void Publish(Message message) => _ = _parts.Router.Route(message, from: null);

    /// <summary>Ends a session with all that waits in it: its client is disconnected (0x98), and begins a new one when it comes again.</summary>
    /// <returns>False when there is none.</returns>
    public async Task<bool> EndSessionAsync(string clientId, CancellationToken cancellationToken)
    {
        if (!await _parts.Sessions.EndAsync(clientId, _parts.Now, cancellationToken))
            return false;
        await _parts.Journal.FlushAsync().WaitAsync(cancellationToken);
        return true;
    }

    /// <summary>Takes nothing in any more: <see cref="Incoming"/> ends after what is in it. Connections stay, so that it can still be acknowledged.</summary>
    public void StopTaking() => _parts.Incoming.Queue.Close();

    /// <summary>Stops: takes nothing in any more, sends the acknowledgements of what is complete, and takes leave of the clients.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        StopTaking();
        _parts.Journal.StopWaiting();
        await _parts.Journal.FlushAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // So that it can be acknowledged.
        _parts.Stop();
        await _listeners.StopAsync();
        _timer.Dispose();
        await _housekeeping; // It has told of its failure, if there was one.
        await _parts.Journal.StopAsync();
        _parts.Dispose();
    }

    private async Task EndAsync() => await await Task.WhenAny(_parts.Journal.Completion, _parts.Failed);

    private async Task KeepHouseAsync()
    {
        try
        {
            do
                await KeepHouseOnceAsync();
            while (await _timer.WaitForNextTickAsync(CancellationToken.None));
        }
        catch (Exception e)
        {
            _parts.Fail(e);
        }
    }

    private async Task KeepHouseOnceAsync()
    {
        var now = _parts.Now();
        _parts.Memory.Look();
        foreach (var connection in _parts.Sessions.All())
            connection.Check(now);
        _parts.Sessions.CleanUp(now);
        _parts.Router.LookForRoom();
        while (!_parts.Router.Expire(now, ExpiredAtOnce))
            await Task.Yield(); // Others want to go on.
    }
}
