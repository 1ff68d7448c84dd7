namespace Meanwhile.Mqtt.Broker;

/// <summary>What a broker has to do, since it was started. The figures are taken one after the other.</summary>
public readonly record struct BrokerStatistics
{
    /// <summary>Network connections, also of clients that are not let in yet.</summary>
    public int Connections { get; init; }

    /// <summary>Clients that are connected.</summary>
    public int Clients { get; init; }

    /// <summary>Sessions, also of clients that are away.</summary>
    public int Sessions { get; init; }

    /// <summary>Subscriptions of all sessions.</summary>
    public int Subscriptions { get; init; }

    /// <summary>The memory of subscriptions, in bytes, about.</summary>
    public long SubscriptionBytes { get; init; }

    /// <summary>The memory of wills, in bytes, about.</summary>
    public long WillBytes { get; init; }

    /// <summary>Retained messages.</summary>
    public int Retained { get; init; }

    /// <summary>The memory of retained messages, in bytes, about.</summary>
    public long RetainedBytes { get; init; }

    /// <summary>The memory of messages that the host has not completed yet, in bytes, about.</summary>
    public long HeldBytes { get; init; }

    /// <summary>Messages that clients sent, refused ones included.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages that went to clients.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Copies of messages that were dropped, because their subscriber is too slow for them: at QoS 0, and of the host's own at any QoS.</summary>
    public long MessagesDropped { get; init; }

    /// <summary>Copies of messages that had expired before their subscriber took them.</summary>
    public long MessagesExpired { get; init; }

    /// <summary>Copies of messages that are larger than their subscriber takes.</summary>
    public long MessagesTooLarge { get; init; }

    /// <summary>Copies of messages that waited for a subscriber, which may not read them any more.</summary>
    public long MessagesUnreadable { get; init; }

    /// <summary>Copies of messages at QoS 0 that waited for a subscriber when its connection ended.</summary>
    public long MessagesUnsent { get; init; }

    /// <summary>Copies of messages that waited for a subscriber when its session ended.</summary>
    public long MessagesDiscarded { get; init; }

    /// <summary>Messages of clients at QoS 0 that waited for room in the queue of the host when their connection ended.</summary>
    public long MessagesNotTakenIn { get; init; }

    /// <summary>Messages of clients at QoS 0 for the host that came when there was no memory left.</summary>
    public long MessagesWithoutMemory { get; init; }

    /// <summary>Bytes from clients, beside those of TLS and WebSocket.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes to clients.</summary>
    public long BytesSent { get; init; }
}
