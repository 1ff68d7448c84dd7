using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What all connections of a broker share.</summary>
internal sealed class BrokerParts
{
    private readonly long _start;

    /// <summary>Puts them together.</summary>
    public BrokerParts(BrokerOptions options)
    {
        (Limits, Time, Authenticate) = (options.Limits, options.Time, options.Authenticate);
        _start = Time.GetTimestamp();
        Refused = options.Refused ?? (static _ => { });
        Router = new Router(Limits, Refused);
        Intake = new Intake(options.Holds, Router, Limits.HeldBytes);
        var perSession = new SessionLimits(Limits.ReceiveMaximum, Limits.TopicAliasMaximum, Limits.QueuedMessages, Limits.QueuedBytes);
        Reception = new Reception(new SessionTable(perSession, options.ReceivedIds, Limits.RestoredSessionExpiry), Router, Intake, Limits, Time, Refused);
    }

    /// <summary>What clients may take up.</summary>
    public BrokerLimits Limits { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Who may connect.</summary>
    public Func<Login, CancellationToken, ValueTask<LoginAnswer>>? Authenticate { get; }

    /// <summary>Told of what is refused or dropped.</summary>
    public Action<Refusal> Refused { get; }

    /// <summary>Which message goes to whom.</summary>
    public Router Router { get; }

    /// <summary>Where messages come in.</summary>
    public Intake Intake { get; }

    /// <summary>Who is here.</summary>
    public Reception Reception { get; }

    /// <summary>What goes over the connections.</summary>
    public Traffic Traffic { get; } = new();

    /// <summary>The time since the broker started: it never jumps.</summary>
    public TimeSpan Now() => Time.GetElapsedTime(_start);
}
