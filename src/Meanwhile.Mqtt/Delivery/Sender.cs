using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Delivery;

/// <summary>
/// The sending half of MQTT's delivery guarantees for one session, as a pure state machine: messages are added, answers of the client are reported, and
/// it says what may be sent. It outlives connections and, with a log, the process.
/// </summary>
public sealed class Sender
{
    private readonly ISenderLog? _log;
    private readonly QueueShare _share;
    private readonly InFlightMessages _inFlight;
    private readonly WaitingMessages _waiting;
    private readonly Queue<ushort> _again = new();
    private readonly Queue<(ushort PacketId, QueuedMessage? Message)> _releases = new();
    private int _receiveMaximum;
    private int _onWire;

    /// <summary>A sender that remembers nothing through the end of the process.</summary>
    public Sender()
        : this(log: null, memory: null)
    {
    }

    /// <summary>One of many.</summary>
    /// <param name="log">Remembers what it does; nothing is sent before what it rests on is durable. Null for no memory.</param>
    /// <param name="memory">Counts what waits in all queues; null for no limit.</param>
    internal Sender(ISenderLog? log, QueueMemory? memory)
    {
        (_log, _share, _inFlight) = (log, new QueueShare(memory), new InFlightMessages(log));
        _waiting = new WaitingMessages(log, _share);
    }

    /// <summary>How many messages wait for the client or for its answer.</summary>
    public int Count => _waiting.Count + _inFlight.Count;

    /// <summary>The highest number that was sent; 0 for none.</summary>
    internal long LastSent { get; private set; }

    /// <summary>How many PUBREL wait to be sent.</summary>
    internal int OwedReleases => _releases.Count;

    /// <summary>How many are in flight at most, where the other side takes as many.</summary>
    public int MostInFlight { get; set; } = int.MaxValue;

    /// <summary>The memory they take, about.</summary>
    public long Bytes => _share.Bytes;

    private int Limit => Math.Min(_receiveMaximum, MostInFlight);

    private long Committed => _log?.Committed ?? 0;

    /// <summary>Goes on with a message of an earlier process.</summary>
    internal void Restore(Outgoing outgoing, long number, bool isReleased)
    {
        _waiting.Add(new QueuedMessage(outgoing, number) { IsReleased = isReleased });
        _inFlight.SkipTo(number);
    }

    /// <summary>What that process may have sent is in flight; null for everything.</summary>
    internal void Restored(long? lastSent)
    {
        LastSent = lastSent ?? _inFlight.LastNumber;
        _inFlight.SkipTo(LastSent);
        while (_waiting.First is { } next && next.Number <= LastSent && _inFlight.TryAdd(next))
            _waiting.RemoveFirst();
    }

    /// <summary>A connection was accepted: what is unanswered goes out again, in its old order, before anything new [MQTT-4.4.0-1], [MQTT-4.6.0-1].</summary>
    /// <param name="receiveMaximum">How many the other side takes unanswered [MQTT-3.3.4-7], [MQTT-3.3.4-9].</param>
    /// <param name="sessionPresent">False when it has lost the session: then what is unanswered goes out as new.</param>
    public void Connected(int receiveMaximum, bool sessionPresent = true)
    {
        if (!sessionPresent)
            StartAnew();
        _receiveMaximum = receiveMaximum;
        _onWire = 0;
        _releases.Clear();
        _again.Clear();
        foreach (var sent in _inFlight.InOrder())
        {
            sent.IsOnWire = false;
            _again.Enqueue(sent.PacketId);
        }
    }

    /// <summary>The connection is gone: what came at QoS 0 is not kept for the next one.</summary>
    /// <returns>How many messages that were.</returns>
    public int Disconnected() => _waiting.DropQos0();

    /// <summary>How many messages have expired before they were sent, since this was asked last.</summary>
    internal int TakeExpired() => _waiting.TakeExpired();

    /// <summary>Adds a message to the end of the queue.</summary>
    /// <returns>The batch of the log that it is in; 0 for none.</returns>
    public long Add(in Outgoing outgoing)
    {
        var message = new QueuedMessage(outgoing, outgoing.Qos > 0 ? _inFlight.NextNumber() : 0);
        message.Batch = _log?.Queue(message.Number, outgoing) ?? 0;
        _waiting.Add(message);
        return message.Batch;
    }

    /// <summary>The session is over: nothing waits any more.</summary>
    internal void End()
    {
        foreach (var message in _waiting.All.Concat(_inFlight.InOrder()))
            _share.Remove(message.Outgoing);
        _share.Settle();
        _waiting.Clear();
        _inFlight.Clear();
    }

    /// <summary>Takes an identifier for a packet that is no message [MQTT-2.2.1-3].</summary>
    public ushort Reserve() => _inFlight.Reserve();

    /// <summary>Gives it back.</summary>
    public void Free(ushort packetId) => _inFlight.Free(packetId);

    /// <summary>What may be sent now.</summary>
    /// <returns>False when there is nothing, or not yet; or when so many had expired that it is to be asked again.</returns>
    public bool TryNext(TimeSpan now, out Transmission next)
    {
        _inFlight.FreeIds();
        if (_releases.TryPeek(out var release) && (release.Message is not { } message || message.Batch <= Committed)) // Else the message could come again after PUBREL.
        {
            _releases.Dequeue();
            next = new Transmission(release.PacketId, Dup: false, Found: release.Message is not null);
            return true;
        }
        return TryAgain(out next) || TryNew(now, out next);
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP arrived.</summary>
    public void Answered(in PublishAckPacket answer)
    {
        if (answer.Type == PacketType.PubAck)
            Acknowledged(answer.PacketId, answer.Reason);
        else if (answer.Type == PacketType.PubRec)
            Received(answer.PacketId, answer.Reason);
        else
            Completed(answer.PacketId);
    }

    /// <summary>PUBACK: the message has arrived, or is not wanted.</summary>
    public void Acknowledged(ushort packetId, ReasonCode reason = ReasonCode.Success)
    {
        if (_inFlight.TryFind(packetId, 1, out var sent))
            Finish(sent, reason);
    }

    /// <summary>PUBREC: the client has the message, or does not want it [MQTT-4.3.3-4].</summary>
    public void Received(ushort packetId, ReasonCode reason)
    {
        _ = _inFlight.TryFind(packetId, 2, out var sent);
        if (reason >= ReasonCodes.FirstError) // No PUBREL is due for it, known or not.
        {
            if (sent is not null)
                Finish(sent, reason);
            return;
        }
        if (sent is { IsReleased: false })
        {
            sent.IsReleased = true; // From here on the message is never sent again [MQTT-4.3.3-6].
            sent.Batch = _log?.Release(sent.Number) ?? 0;
        }
        _releases.Enqueue((packetId, sent));
    }

    /// <summary>PUBCOMP: the identifier is free.</summary>
    public void Completed(ushort packetId)
    {
        if (!_inFlight.TryFind(packetId, 2, out var sent))
            return;
        if (!sent.IsReleased)
            throw ProtocolException.Error("PUBCOMP before PUBREC");
        Finish(sent, ReasonCode.Success);
    }

    // What the other side has said it has received was in the session that it has lost: it goes out as well, rather twice than never.
    private void StartAnew()
    {
        List<QueuedMessage> unanswered = [.. _inFlight.InOrder()];
        _inFlight.Clear();
        foreach (var message in unanswered)
            message.IsReleased = false;
        _waiting.PutBefore(unanswered);
        if (Count == 0)
            _inFlight.StartOver();
    }

    private bool TryAgain(out Transmission next)
    {
        next = default;
        while (_again.TryPeek(out var id))
        {
            if (!_inFlight.TryFind(id, out var sent))
            {
                _again.Dequeue(); // Answered meanwhile.
                continue;
            }
            if (sent.Outgoing is { Qos: 1, Answered.Task.IsCompleted: true }) // At QoS 2 the other side may hold its identifier.
            {
                Finish(sent, ReasonCode.Success);
                continue;
            }
            if (sent.Batch > Committed || (!sent.IsReleased && _onWire >= Limit))
                return false;
            _again.Dequeue();
            next = new Transmission(id, Dup: true, Found: true) { Queued = sent.IsReleased ? null : sent }; // [MQTT-3.3.1-1]
            if (!sent.IsReleased)
                PutOnWire(sent);
            return true;
        }
        return false;
    }

    private bool TryNew(TimeSpan now, out Transmission next)
    {
        next = default;
        if (!_waiting.TryPeek(now, out var message))
            return false;
        if (message.Outgoing.Qos == 0)
            _share.Remove(message.Outgoing); // [MQTT-4.3.1-1]
        else if (message.Batch > Committed || _again.Count > 0 || _inFlight.Count >= Limit || !_inFlight.TryAdd(message))
            return false; // [MQTT-4.9.0-2]; or its identifier is in use still [MQTT-2.2.1-4].
        else
            PutOnWire(message);
        _waiting.RemoveFirst();
        next = new Transmission(message.PacketId, Dup: false, Found: true) { Queued = message }; // [MQTT-4.3.2-1], [MQTT-4.3.3-1]
        return true;
    }

    private void PutOnWire(QueuedMessage sent)
    {
        sent.IsOnWire = true;
        LastSent = Math.Max(LastSent, sent.Number);
        _onWire++;
    }

    private void Finish(QueuedMessage sent, ReasonCode reason)
    {
        if (sent.IsOnWire)
            _onWire--;
        sent.Batch = _log?.Finish(sent.Number) ?? 0;
        _share.Remove(sent.Outgoing);
        _inFlight.Finish(sent);
        sent.Outgoing.Answered?.TrySetResult(reason);
    }
}
