using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What all connections of a broker share.</summary>
internal sealed class BrokerParts
{
    private readonly long _start;
    private readonly TimeSpan _startedAt;

    /// <summary>Puts them together, and goes on where an earlier process stopped.</summary>
    public BrokerParts(BrokerOptions options)
    {
        (Limits, Time, Authenticate) = (options.Limits, options.Time, options.Authenticate);
        Memory = new MemoryWatch(Limits.Memory);
        (_start, _startedAt) = (Time.GetTimestamp(), Time.GetUtcNow() - DateTimeOffset.UnixEpoch);
        Refused = options.Refused ?? (static _ => { });
        Journal = new Journal(options.Store);
        Router = new Router(Limits, Memory, Journal, Refused, options.Filling ?? (static _ => { }));
        Intake = new Intake(options.Holds, Router, Journal, Limits.HeldBytes);
        var mostInFlight = Limits.IsReceiveMaximumStrict ? Limits.ReceiveMaximum : ushort.MaxValue;
        var perSession = new SessionLimits(mostInFlight, Limits.TopicAliasMaximum, Limits.QueuedMessages, Limits.QueuedBytes);
        var sessions = new SessionTable(perSession, Journal);
        new Restoration(sessions, Router, Now() + Limits.SessionExpiry, Now()).Restore(options.Store?.Read() ?? [], options.ReceivedIds);
        Reception = new Reception(sessions, Router, Intake, Limits, Time, Refused);
    }

    /// <summary>What clients may take up.</summary>
    public BrokerLimits Limits { get; }

    /// <summary>Whether there is memory left.</summary>
    public MemoryWatch Memory { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Who may connect.</summary>
    public Func<Login, CancellationToken, ValueTask<LoginAnswer>>? Authenticate { get; }

    /// <summary>Told of what is refused or dropped.</summary>
    public Action<Refusal> Refused { get; }

    /// <summary>What outlives the process.</summary>
    public Journal Journal { get; }

    /// <summary>Which message goes to whom.</summary>
    public Router Router { get; }

    /// <summary>Where messages come in.</summary>
    public Intake Intake { get; }

    /// <summary>Who is here.</summary>
    public Reception Reception { get; }

    /// <summary>What goes over the connections.</summary>
    public Traffic Traffic { get; } = new();

    /// <summary>The time since the Unix epoch, as it was when the broker started; from there on it never jumps.</summary>
    public TimeSpan Now() => _startedAt + Time.GetElapsedTime(_start);
}
