namespace Meanwhile.Mqtt.Broker;

/// <summary>Counts what goes over all connections, once for each read and write.</summary>
internal sealed class TrafficCounters
{
    private long _bytesReceived;
    private long _bytesSent;
    private long _messagesReceived;
    private long _messagesSent;

    /// <summary>Something was read.</summary>
    public void Received(long bytes, int messages)
    {
        Interlocked.Add(ref _bytesReceived, bytes);
        Interlocked.Add(ref _messagesReceived, messages);
    }

    /// <summary>Something was written.</summary>
    public void Sent(long bytes, long messages)
    {
        Interlocked.Add(ref _bytesSent, bytes);
        Interlocked.Add(ref _messagesSent, messages);
    }

    /// <summary>Enters the sums.</summary>
    public BrokerStatistics Into(BrokerStatistics statistics) => statistics with
    {
        BytesReceived = Interlocked.Read(ref _bytesReceived),
        BytesSent = Interlocked.Read(ref _bytesSent),
        MessagesReceived = Interlocked.Read(ref _messagesReceived),
        MessagesSent = Interlocked.Read(ref _messagesSent),
    };
}
