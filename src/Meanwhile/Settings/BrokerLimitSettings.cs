using System.CommandLine;
using System.Globalization;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Pipeline;

namespace Meanwhile.Settings;

/// <summary>What the clients of the embedded broker may take up.</summary>
internal static class BrokerLimitSettings
{
    private static readonly BrokerLimits Standard = new();

    private static readonly Setting<int> Connections = Count("--max-connections", Standard.Connections, "connections at a time; those that are not let in yet make room for newcomers", least: 1);

    private static readonly Setting<int> Sessions = Count("--max-sessions", Standard.Sessions, "sessions, also of clients that are away", least: 1);

    private static readonly Setting<TimeSpan> SessionExpiry = new(
        "--session-expiry", null, "7d", "SPAN", "how long the embedded broker keeps the session of a client that is away", Duration.Parse);

    private static readonly Setting<TimeSpan> ConnectTimeout = new("--connect-timeout", null, "10s", "SPAN", "how long a connection may take to say who it is", Duration.Parse);

    private static readonly Setting<TimeSpan> KeepAlive = new(
        "--max-keep-alive", null, "20min", "SPAN", "the longest silence of a client of MQTT 5.0, which is told to show signs of life", ParseKeepAlive);

    private static readonly Setting<int> PayloadSize = Count("--max-packet", Standard.PayloadSize, "bytes of a message's payload", least: 128, most: 268_435_455);

    private static readonly Setting<int> TopicLevels = Count("--max-topic-levels", Standard.TopicLevels, "levels of a topic or filter", least: 1);

    private static readonly Setting<int> Subscriptions = Count("--max-subscriptions", Standard.SubscriptionsPerClient, "subscriptions of one client");

    private static readonly Setting<int> InFlight = Count("--max-inflight", Standard.ReceiveMaximum, "messages of one client that are not acknowledged or, at QoS 0, not stored yet", least: 1, most: ushort.MaxValue);

    private static readonly Option<bool> StrictReceiveMaximum = new("--strict-receive-maximum")
    {
        Description = "disconnect clients of MQTT 5.0 that have more unacknowledged messages than --max-inflight (0x93); without it they are read no further until there is room",
    };

    private static readonly Setting<int> QueuedMessages = Count("--max-queued", Standard.QueuedMessages, "messages that wait for one client", least: 1);

    private static readonly Setting<long> QueuedBytes = Bytes("--max-queued-bytes", Standard.QueuedBytes, "bytes of the messages that wait for one client");

    private static readonly Setting<FullQueue> WhenFull = new(
        "--when-full", null, "refuse", "refuse|drop",
        "what becomes of a message whose subscriber's queue is full: its publisher is refused and still has it, or it is dropped for this subscriber alone", ParseWhenFull);

    private static readonly Setting<int> Retained = Count("--max-retained", Standard.RetainedMessages, "retained messages");

    private static readonly Setting<long?> Memory = new(
        "--max-memory", null, null, "NUMBER", "bytes of memory, from where on nothing is taken in that would have to wait [default: three quarters of what there is]",
        text => CommonSettings.ParseWhole(text, 1, long.MaxValue));

    /// <summary>All of them.</summary>
    public static IEnumerable<Option> Options { get; } =
    [
        Connections.Option, Sessions.Option, SessionExpiry.Option, ConnectTimeout.Option, KeepAlive.Option, PayloadSize.Option, TopicLevels.Option, Subscriptions.Option,
        InFlight.Option, StrictReceiveMaximum, QueuedMessages.Option, QueuedBytes.Option, WhenFull.Option, Retained.Option, Memory.Option,
    ];

    /// <summary>Reads them.</summary>
    public static BrokerLimits Read(ParseResult commandLine, SettingSources sources) => new()
    {
        Connections = Connections.Read(commandLine, sources),
        Sessions = Sessions.Read(commandLine, sources),
        SessionExpiry = SessionExpiry.Read(commandLine, sources),
        ConnectTimeout = ConnectTimeout.Read(commandLine, sources),
        KeepAlive = KeepAlive.Read(commandLine, sources),
        PayloadSize = PayloadSize.Read(commandLine, sources),
        TopicLevels = TopicLevels.Read(commandLine, sources),
        SubscriptionsPerClient = Subscriptions.Read(commandLine, sources),
        ReceiveMaximum = InFlight.Read(commandLine, sources),
        IsReceiveMaximumStrict = commandLine.GetValue(StrictReceiveMaximum),
        QueuedMessages = QueuedMessages.Read(commandLine, sources),
        QueuedBytes = QueuedBytes.Read(commandLine, sources),
        WhenFull = WhenFull.Read(commandLine, sources),
        RetainedMessages = Retained.Read(commandLine, sources),
        Memory = ReadMemory(commandLine, sources),
    };

    /// <summary>Reads how much memory there is, in bytes.</summary>
    public static long ReadMemory(ParseResult commandLine, SettingSources sources) => Memory.Read(commandLine, sources) ?? Standard.Memory;

    private static Setting<int> Count(string option, int standard, string what, int least = 0, int most = int.MaxValue) =>
        new(option, null, standard.ToString(CultureInfo.InvariantCulture), "NUMBER", what, text => (int)CommonSettings.ParseWhole(text, least, most));

    private static Setting<long> Bytes(string option, long standard, string what) =>
        new(option, null, standard.ToString(CultureInfo.InvariantCulture), "NUMBER", what, text => CommonSettings.ParseWhole(text, 1, long.MaxValue));

    private static FullQueue ParseWhenFull(string text) => text switch
    {
        "refuse" => FullQueue.Refuse,
        "drop" => FullQueue.Drop,
        _ => throw new FormatException("refuse or drop"),
    };

    // It goes to clients in whole seconds, in two bytes.
    private static TimeSpan ParseKeepAlive(string text) => Duration.Parse(text) is var span && span >= TimeSpan.FromSeconds(1) && span.TotalSeconds <= ushort.MaxValue
        ? span
        : throw new FormatException("a span of time from 1s to 18h, such as 20min");
}
