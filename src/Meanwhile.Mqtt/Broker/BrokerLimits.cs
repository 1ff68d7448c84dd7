using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What clients may take up. Whoever goes beyond is told so, where the protocol has words for it, and never silently cut short.</summary>
public sealed record BrokerLimits
{
    // What a packet may be longer than its payload: the longest topic, and as much in properties.
    private const int HeaderSize = 128 * 1024;

    // Of CONNECT, with its header, in bytes: credentials and a will fit in, and more is not taken from anybody who is not let in yet.
    internal const int ConnectSize = 64 * 1024;

    /// <summary>Connections at a time. Those that are not let in yet make room for newcomers, the oldest first.</summary>
    public int Connections { get; init; } = 20_000;

    /// <summary>Of these, how many may be without the answer to their CONNECT.</summary>
    public int Newcomers { get; init; } = 10_000;

    /// <summary>The memory of those, about, in bytes: an eighth of <see cref="Memory"/>, but from 8 to 128 MiB, unless it is said.</summary>
    public long NewcomerBytes
    {
        get => field > 0 ? field : Math.Clamp(Memory / 8, 8L << 20, 128L << 20);
        init;
    }

    /// <summary>Sessions, also of clients that are away.</summary>
    public int Sessions { get; init; } = 100_000;

    /// <summary>The longest time that a session waits for its client: in 3.1.1 all do so long, and 5.0 clients that ask for more are told.</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromDays(7);

    /// <summary>From the connection to CONNECT, and for the last words of a connection that ends.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest time without a sign of life; MQTT 5.0 clients are told [MQTT-3.1.2-21].</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Of the payload of a message, in bytes.</summary>
    public int PayloadSize { get; init; } = 1 << 20;

    /// <summary>Of a whole packet: topic and properties have 128 KiB beside the payload. MQTT 5.0 clients are told [MQTT-3.2.2-15].</summary>
    public int PacketSize => (int)Math.Min((long)PayloadSize + HeaderSize, Frame.LargestSize);

    /// <summary>Of a client identifier, in characters.</summary>
    public int ClientIdLength { get; init; } = 256;

    /// <summary>Of a topic or filter.</summary>
    public int TopicLevels { get; init; } = 200;

    /// <summary>Subscriptions of one client.</summary>
    public int SubscriptionsPerClient { get; init; } = 1000;

    // Of a client's filters, from the first '+' of each on: a topic may pass all of them.
    internal long LevelsPerClient => 10L * Math.Max(1000, SubscriptionsPerClient);

    // Of a client's filters, in characters.
    internal int FilterLengthPerClient => 256 * Math.Max(1000, SubscriptionsPerClient);

    // Of one SUBSCRIBE or UNSUBSCRIBE, whose filters are read in one go: repeats escape the limit of subscriptions.
    internal int FiltersPerPacket => Math.Max(10_000, SubscriptionsPerClient);

    /// <summary>Messages of one client that are not acknowledged yet; also towards clients that name no Receive Maximum.</summary>
    public int ReceiveMaximum { get; init; } = 2048;

    /// <summary>
    /// A client of 5.0 that has more in flight is disconnected (0x93) [MQTT-3.3.4-7]. Else it is read no further until there is room, as one of 3.1.1 is, and only what exceeds the
    /// identifiers disconnects it: there are clients that never look at Receive Maximum.
    /// </summary>
    public bool IsReceiveMaximumStrict { get; init; }

    /// <summary>Topic aliases of one client.</summary>
    public int TopicAliasMaximum { get; init; } = 64;

    /// <summary>
    /// The memory of messages that the host has not completed yet; a single larger one is taken in alone. When it is used up, the network waits. A third of <see cref="Memory"/>, but
    /// from 1 to 64 MiB, unless it is said.
    /// </summary>
    public long HeldBytes
    {
        get => field > 0 ? field : Math.Clamp(Memory / 3, 1L << 20, 64L << 20);
        init;
    }

    // What has come of packets that are not complete, of all clients together: an eighth of the memory at most; the largest packet fits in.
    internal long UnfinishedBytes => Math.Max(PacketSize, Math.Min(Memory / 8, 256L << 20));

    /// <summary>Messages that wait for one client. When there are more, those who publish to it at QoS 1 and 2 are refused; at QoS 0, and of the host's own, it gets less.</summary>
    public int QueuedMessages { get; init; } = 100_000;

    /// <summary>The memory of these messages.</summary>
    public long QueuedBytes { get; init; } = 64 << 20;

    /// <summary>What becomes of those that do not fit in.</summary>
    public FullQueue WhenFull { get; init; }

    /// <summary>Retained messages.</summary>
    public int RetainedMessages { get; init; } = 100_000;

    // Their share of the memory: otherwise they could use all of it, and every message would be refused.
    internal long RetainedBytes => Memory / 4;

    // Of all that waits for clients: from here on, what one may have is much less.
    internal long QueueBytes => Math.Max(1 << 20, Memory / 4);

    // Of all wills that are larger than a small one.
    internal long WillBytes => Math.Max(1 << 20, Memory / 16);

    // Of all subscriptions.
    internal long SubscriptionBytes => Math.Max(1 << 20, Memory / 8);

    /// <summary>
    /// The memory of the whole process, host included, in bytes; looked at once a second. Beyond it no message is taken in at QoS 1 and 2, none is queued at QoS 0, and
    /// nobody begins a session or a subscription. Three quarters of what the process may use, unless it is said.
    /// </summary>
    public long Memory { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3;

    /// <summary>What of that memory is the host's own and bounded elsewhere, in bytes: it is not counted, so that it takes nothing from those who publish.</summary>
    public Func<long> SetAside { get; init; } = static () => 0;

    /// <summary>Whether messages may be sent to a topic: it does not have too many levels, and is no shared subscription [MQTT-5.0, 4.8.2].</summary>
    internal bool Allows(string topic) => Topic.Levels(topic) <= TopicLevels && !Topic.IsShare(topic);
}
