using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>What waits for one client or for its answer, within limits. It outlives connections. Whoever uses it holds the session's gate.</summary>
/// <param name="clientId">Whose.</param>
/// <param name="limits">What it may take up.</param>
/// <param name="log">Remembers what waits.</param>
/// <param name="drops">Told of messages that do not reach the client.</param>
internal sealed class OutgoingQueue(string clientId, SessionLimits limits, SessionLog log, DropCounters drops)
{
    // Messages in one go that are not sent after all: whoever has one for the session waits meanwhile.
    private const int MostGivenUpAtOnce = 256;

    private readonly Sender _sender = new(log, limits.AllQueues);
    private QueueLevel _level;

    /// <summary>How many messages were sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Nothing more fits in.</summary>
    public bool IsFull => _sender.Count >= limits.QueuedMessages || _sender.Bytes >= limits.QueuedBytesNow;

    /// <summary>The memory of what waits, in bytes. The only member that may be read without the gate.</summary>
    public long Bytes => _sender.Bytes;

    /// <summary>How many PUBREL wait to be sent.</summary>
    public int OwedReleases => _sender.OwedReleases;

    /// <summary>The highest number that was sent; 0 for none.</summary>
    public long LastSent => _sender.LastSent;

    /// <summary>How full it is.</summary>
    public QueueFill Fill(bool isConnected) => new(clientId, isConnected, _sender.Count, limits.QueuedMessages, _sender.Bytes, limits.QueuedBytesNow);

    /// <summary>Goes on with what an earlier process has kept.</summary>
    /// <param name="messages">What waits for the client.</param>
    /// <param name="lastSent">Up to which of them may have been sent; null for all.</param>
    public void Restore(IEnumerable<MessageQueued> messages, long? lastSent)
    {
        foreach (var message in messages)
            _sender.Restore(new Outgoing(message.Message, message.Qos, message.Retain, message.Identifiers?.ToArray()), message.Number, message.IsReleased);
        _sender.Restored(lastSent);
    }

    /// <summary>A connection was accepted.</summary>
    public void Connected(int receiveMaximum) => _sender.Connected(receiveMaximum);

    /// <summary>The connection is gone: what came at QoS 0 is not kept for the next one.</summary>
    public void Disconnected() => drops.Add(DropKind.Unsent, clientId, _sender.Disconnected());

    /// <summary>The session is over: nothing waits any more.</summary>
    public void End()
    {
        drops.Add(DropKind.Discarded, clientId, _sender.Count);
        _sender.End();
    }

    /// <summary>Queues a message. What comes at QoS 0 is not kept for a client that is away.</summary>
    /// <param name="outgoing">The message.</param>
    /// <param name="isBounded">Its kind stops coming when the queue is full, so this one is kept.</param>
    /// <param name="isConnected">The client is here.</param>
    /// <returns>The batch of the journal that it is in, 0 for none; null when it is not kept.</returns>
    public long? Add(in Outgoing outgoing, bool isBounded, bool isConnected) =>
        (outgoing.Qos == 0 && !isConnected) || (!isBounded && IsFull) ? null : _sender.Add(outgoing);

    /// <summary>Whether its queue has come to a level at which it was not since it was last less than a quarter full. Asked for each message that is queued.</summary>
    public bool IsFilling()
    {
        if (_level == QueueLevel.Low && _sender.Count < limits.QueuedMessages / 2 && _sender.Bytes < limits.QueuedBytesNow / 2)
            return false;
        var (before, fill) = (_level, Fill(isConnected: true));
        _level = fill.Ratio < 0.25 ? QueueLevel.Low : (QueueLevel)Math.Max((int)before, (int)fill.Level);
        return _level > before;
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP arrived.</summary>
    public void Answered(in PublishAckPacket answer) => _sender.Answered(answer);

    /// <summary>Writes what may be sent now, up to about a size.</summary>
    /// <returns>False when there may be more.</returns>
    public bool Write(PacketWriter writer, Terms terms, Permissions permissions, TimeSpan now, int enough)
    {
        var isAll = WriteMessages(writer, terms, permissions, now, enough);
        var expired = _sender.TakeExpired();
        drops.Add(DropKind.Expired, clientId, expired);
        return isAll && expired < WaitingMessages.MostExpiredAtOnce;
    }

    private bool WriteMessages(PacketWriter writer, Terms terms, Permissions permissions, TimeSpan now, int enough)
    {
        var givenUp = 0;
        while (_sender.TryNext(now, out var next))
        {
            if (next.IsRelease)
                next.Release.Write(writer, terms.Version);
            else
                givenUp += TryWrite(writer, next, terms, permissions, now) ? 0 : 1;
            if (writer.Length >= enough || givenUp == MostGivenUpAtOnce)
                return false;
        }
        return true;
    }

    private bool TryWrite(PacketWriter writer, in Transmission next, Terms terms, Permissions permissions, TimeSpan now)
    {
        // What has waited is judged by what the client may read now.
        var mayRead = permissions.MayRead(next.Publish.Message.Topic);
        if (mayRead && OutgoingPublish.TryWrite(writer, next, terms, now))
        {
            Sent++;
            return true;
        }
        GiveUp(next, mayRead ? DropKind.TooLarge : DropKind.Unreadable);
        return false;
    }

    // Done with it, as if it had been sent [MQTT-3.1.2-25].
    private void GiveUp(in Transmission next, DropKind why)
    {
        drops.Add(why, clientId, 1);
        if (next.Publish.Qos == 1)
            _sender.Acknowledged(next.PacketId);
        else if (next.Publish.Qos == 2)
            _sender.Received(next.PacketId, ReasonCode.PacketTooLarge);
    }
}
