using Meanwhile.Feeds;

namespace Meanwhile.Pipeline;

/// <summary>Approximate memory of each part of the program that can grow. It is only calculated when somebody asks.</summary>
internal static class MemoryUsage
{
    // A session with its delivery state and its place in four tables; a connection with its buffers.
    private const long BytesASession = 2048;
    private const long BytesAConnection = 16 * 1024;

    /// <summary>The parts, in bytes; those of the embedded broker only if there is one.</summary>
    public static IEnumerable<(string Name, long Bytes)> Of(PipelineStatus status)
    {
        yield return ("windows", status.Results?.WindowBytes ?? 0);
        yield return ("names", status.Results?.NameBytes ?? 0);
        yield return ("readers", status.HeldForReaders);
        if (status.Feed is not EmbeddedFeed { Statistics: var broker } feed)
            yield break;
        yield return ("incoming", broker.HeldBytes);
        yield return ("queues", feed.QueuedBytes);
        yield return ("retained", broker.RetainedBytes);
        yield return ("sessions", (BytesASession * broker.Sessions) + broker.SubscriptionBytes + broker.WillBytes);
        yield return ("connections", BytesAConnection * broker.Connections);
    }
}
