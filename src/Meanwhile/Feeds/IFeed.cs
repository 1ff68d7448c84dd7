using System.Threading.Channels;

namespace Meanwhile.Feeds;

/// <summary>Where readings come from and where results go: a broker elsewhere, or the embedded one.</summary>
/// <remarks>Disposing it sends what may still be sent and takes leave of the broker.</remarks>
internal interface IFeed : IAsyncDisposable
{
    /// <summary>Messages in the order of their receipt. A bounded queue: when it is full, the network waits. It ends when the feed was told to stop, or cannot go on.</summary>
    ChannelReader<Delivery> Deliveries { get; }

    /// <summary>Connected and subscribed: what is published comes in.</summary>
    bool IsReady { get; }

    /// <summary>Takes messages in until told to stop. After that, what was delivered can still be acknowledged and results can still be published.</summary>
    /// <exception cref="UserException">It cannot go on.</exception>
    Task RunAsync(CancellationToken stop);

    /// <summary>Called when what came of these deliveries is durable, and never before. Returns at once.</summary>
    /// <returns>How many messages are acknowledged by it; others came at QoS 0, or on a connection that is gone.</returns>
    int Acknowledge(IReadOnlyList<Delivery> committed);

    /// <summary>Publishes a result. While the broker is away, the newest result of each topic waits for it.</summary>
    /// <param name="payload">The caller's again afterwards.</param>
    ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload);
}
