using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Mqtt.Session;

/// <summary>What one session may take up.</summary>
/// <param name="ReceiveMaximum">Messages of the client that are not acknowledged yet; with more, one of 5.0 is disconnected.</param>
/// <param name="TopicAliasMaximum">Topic aliases of the client.</param>
/// <param name="QueuedMessages">Messages that wait for the client.</param>
/// <param name="QueuedBytes">Their memory.</param>
/// <param name="AllQueues">What waits for all clients; null where that is not limited.</param>
internal sealed record SessionLimits(int ReceiveMaximum, int TopicAliasMaximum, int QueuedMessages, long QueuedBytes, QueueMemory? AllQueues = null)
{
    // What one queue may take of the memory of all, when that is used up, is smaller by this.
    private const int ShareWhenTight = 64;

    /// <summary>The memory that messages for one client may take now.</summary>
    public long QueuedBytesNow => AllQueues is { IsTight: true } ? QueuedBytes / ShareWhenTight : QueuedBytes;
}
