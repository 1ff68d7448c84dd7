namespace Meanwhile.Mqtt.Session;

/// <summary>What one session may take up.</summary>
/// <param name="ReceiveMaximum">Messages of the client that are not acknowledged yet; with more, one of 5.0 is disconnected.</param>
/// <param name="TopicAliasMaximum">Topic aliases of the client.</param>
/// <param name="QueuedMessages">Messages that wait for the client.</param>
/// <param name="QueuedBytes">Their memory.</param>
internal sealed record SessionLimits(int ReceiveMaximum, int TopicAliasMaximum, int QueuedMessages, long QueuedBytes);
