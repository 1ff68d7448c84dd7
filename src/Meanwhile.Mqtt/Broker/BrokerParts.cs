using System.Runtime.ExceptionServices;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What all connections of a broker share.</summary>
internal sealed class BrokerParts : IDisposable
{
    private readonly Action<Refusal>? _refused;
    private readonly long _start;
    private readonly TimeSpan _startedAt;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Puts them together, and goes on where an earlier process stopped.</summary>
    public BrokerParts(BrokerOptions options)
    {
        (Limits, Time, Authenticate) = (options.Limits, options.Time, options.Authenticate);
        Memory = new MemoryWatch(Limits.Memory, Limits.SetAside);
        Admission = new Admission(Limits, Refused);
        Failed = FailAsync();
        (_start, _startedAt) = (Time.GetTimestamp(), Time.GetUtcNow() - DateTimeOffset.UnixEpoch);
        _refused = options.Refused;
        Stopping = _stopping.Token;
        Drops = new DropCounters((kind, clientId, count) => Refused(Refusal.Of(kind, clientId, count)));
        Journal = new Journal(options.Store);
        Router = new Router(Limits, Memory, Journal, Refused, fill => Tell(options.Filling, fill));
        Incoming = new IncomingProcessor(options.Holds, Router, Journal, Limits.HeldBytes, Refused);
        var mostInFlight = Limits.IsReceiveMaximumStrict ? Limits.ReceiveMaximum : ushort.MaxValue;
        var perSession = new SessionLimits(mostInFlight, Limits.TopicAliasMaximum, Limits.QueuedMessages, Limits.QueuedBytes, new QueueMemory(Limits.QueueBytes));
        var sessions = new SessionRegistry(perSession, Journal, Drops);
        new Restoration(sessions, Router, options.PermissionsOf ?? ((_, _) => Permissions.All), Now() + Limits.SessionExpiry, Now()).Restore(options.Store?.Read() ?? [], options.ReceivedIds);
        Sessions = new SessionManager(sessions, Router, new HandoverQueue(Incoming, Fail), Limits, Time, Refused);
    }

    /// <summary>What clients may take up.</summary>
    public BrokerLimits Limits { get; }

    /// <summary>Whether there is memory left.</summary>
    public MemoryWatch Memory { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Who may connect.</summary>
    public Func<Login, CancellationToken, ValueTask<LoginAnswer>>? Authenticate { get; }

    /// <summary>Messages that did not arrive.</summary>
    public DropCounters Drops { get; }

    /// <summary>What outlives the process.</summary>
    public Journal Journal { get; }

    /// <summary>Which message goes to whom.</summary>
    public Router Router { get; }

    /// <summary>Where messages come in.</summary>
    public IncomingProcessor Incoming { get; }

    /// <summary>A turn for each SUBSCRIBE and UNSUBSCRIBE that is large: of a few at a time, whoever sends them.</summary>
    public SemaphoreSlim LargeRequests { get; } = new(2);

    /// <summary>Who may come in, and who makes room.</summary>
    public Admission Admission { get; }

    /// <summary>Who is here.</summary>
    public SessionManager Sessions { get; }

    /// <summary>What goes over the connections.</summary>
    public TrafficCounters Traffic { get; } = new();

    /// <summary>The broker is being stopped.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Stops it.</summary>
    public void Stop() => _stopping.Cancel();

    /// <summary>Ends only with what should not have happened: the broker cannot go on as it should.</summary>
    public Task Failed { get; }

    /// <summary>Something has happened that should not have. It takes no memory to say so: there may be none.</summary>
    public void Fail(Exception reason) => _failed.TrySetResult(reason);

    /// <summary>Tells the host of what is refused or dropped.</summary>
    public void Refused(Refusal refusal) => Tell(_refused, refusal);

    /// <inheritdoc/>
    public void Dispose()
    {
        Journal.Dispose();
        LargeRequests.Dispose();
        _stopping.Dispose();
    }

    /// <summary>The time since the Unix epoch, as it was when the broker started; from there on it never jumps.</summary>
    public TimeSpan Now() => _startedAt + Time.GetElapsedTime(_start);

    private async Task FailAsync() => ExceptionDispatchInfo.Throw(await _failed.Task);

    // If that fails, what the host is told in the middle of goes on.
    private void Tell<T>(Action<T>? listener, T what)
    {
        try
        {
            listener?.Invoke(what);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }
}
