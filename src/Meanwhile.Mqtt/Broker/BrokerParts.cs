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
        Router = new Router(Limits);
        Intake = new Intake(options.Holds, Router);
        var perSession = new SessionLimits(Limits.ReceiveMaximum, Limits.TopicAliasMaximum, Limits.QueuedMessages, Limits.QueuedBytes);
        Reception = new Reception(new SessionTable(perSession, options.ReceivedIds), Router, Intake, Limits);
    }

    /// <summary>What clients may take up.</summary>
    public BrokerLimits Limits { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Who may connect.</summary>
    public Func<Login, CancellationToken, ValueTask<Permissions?>>? Authenticate { get; }

    /// <summary>Which message goes to whom.</summary>
    public Router Router { get; }

    /// <summary>Where messages come in.</summary>
    public Intake Intake { get; }

    /// <summary>Who is here.</summary>
    public Reception Reception { get; }

    /// <summary>The time since the broker started: it never jumps.</summary>
    public TimeSpan Now() => Time.GetElapsedTime(_start);
}
