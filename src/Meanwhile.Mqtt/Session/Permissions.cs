namespace Meanwhile.Mqtt.Session;

/// <summary>What a client may do. It is asked on any thread and in the middle of things: answers must be quick; they may change over time.</summary>
/// <param name="MayPublish">Whether it may publish to a topic.</param>
/// <param name="MaySubscribe">Whether it may subscribe to a filter; of a shared subscription, the filter alone.</param>
public sealed record Permissions(Func<string, bool> MayPublish, Func<string, bool> MaySubscribe)
{
    private const string Server = "$SYS";
    private const string BeforeId = "$SYS/broker/connection/"; // As mosquitto's bridges have it.
    private const string AfterId = "/state";

    /// <summary>Whether it gets messages of a topic: a filter with wildcards may match more than its client may read.</summary>
    public Func<string, bool> MayRead { get; init; } = static _ => true;

    /// <summary>Whether it may stay; asked about once a second.</summary>
    public Func<bool> MayStay { get; init; } = static () => true;

    internal static Permissions All { get; } = new(static _ => true, static _ => true);

    // What the server says of itself is said by nobody else [MQTT-5.0, 4.7.2]; only a bridge says, in its will too, whether it is connected, and has to say so to connect at all.
    internal bool LetPublish(string topic, string clientId) => IsOfServer(topic) ? IsStateOf(topic, clientId) : MayPublish(topic);

    /// <summary>Whether a topic is for what the server says of itself.</summary>
    internal static bool IsOfServer(string topic) => topic.StartsWith(Server, StringComparison.Ordinal) && (topic.Length == Server.Length || topic[Server.Length] == '/');

    private static bool IsStateOf(ReadOnlySpan<char> topic, string clientId) =>
        topic.StartsWith(BeforeId, StringComparison.Ordinal) && topic.EndsWith(AfterId, StringComparison.Ordinal) && topic.Length == BeforeId.Length + clientId.Length + AfterId.Length
        && topic.Slice(BeforeId.Length, clientId.Length).SequenceEqual(clientId);
}
