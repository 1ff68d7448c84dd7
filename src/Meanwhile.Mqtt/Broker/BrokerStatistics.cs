namespace Meanwhile.Mqtt.Broker;

/// <summary>What a broker has to do, since it was started. The figures are taken one after the other.</summary>
public readonly record struct BrokerStatistics
{
    /// <summary>Clients that are connected.</summary>
    public int Clients { get; init; }

    /// <summary>Sessions, also of clients that are away.</summary>
    public int Sessions { get; init; }

    /// <summary>Subscriptions of all sessions.</summary>
    public int Subscriptions { get; init; }

    /// <summary>Retained messages.</summary>
    public int Retained { get; init; }

    /// <summary>Messages that clients sent, refused ones included.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages that went to clients.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Copies of messages that were dropped, because their subscriber is too slow for them: at QoS 0, and of the host's own at any QoS.</summary>
    public long MessagesDropped { get; init; }

    /// <summary>Bytes from clients, beside those of TLS and WebSocket.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes to clients.</summary>
    public long BytesSent { get; init; }
}
