using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Delivery;

/// <summary>
/// The sending half of MQTT's delivery guarantees for one session, as a pure state machine: messages are added, answers of the client are reported, and
/// it says what may be sent. It outlives connections and, with a log, the process.
/// </summary>
/// <remarks>
/// A message's number in its session says its packet identifier, so that it has the same one after a crash, without a commit for each that is sent.
/// </remarks>
public sealed class Sender
{
    /// <summary>So many expired messages are passed over in one go: whoever has a message for the session waits meanwhile.</summary>
    internal const int MostExpiredAtOnce = 1024;

    private readonly ISenderLog? _log;
    private readonly QueueShare? _share;
    private readonly Queue<QueuedMessage> _waiting = new();
    private readonly Dictionary<ushort, QueuedMessage> _inFlight = [];
    private readonly Queue<QueuedMessage> _finished = new(); // Their identifiers are free when that is durable.
    private readonly Queue<ushort> _again = new();
    private readonly Queue<(ushort PacketId, QueuedMessage? Message)> _releases = new();
    private int _receiveMaximum;
    private int _onWire;
    private int _expired;
    private int _reserved;
    private long _lastNumber;

    /// <summary>A sender that remembers nothing through the end of the process.</summary>
    public Sender()
    {
    }

    /// <summary>One of many.</summary>
    /// <param name="log">Remembers what it does; nothing is sent before what it rests on is durable.</param>
    /// <param name="memory">Counts what waits in all queues.</param>
    internal Sender(ISenderLog? log, QueueMemory? memory)
    {
        _log = log;
        _share = memory is null ? null : new QueueShare(memory);
    }

    /// <summary>How many messages wait for the client or for its answer.</summary>
    public int Count => _waiting.Count + InFlight;

    /// <summary>The highest number that was sent; 0 for none.</summary>
    internal long LastSent { get; private set; }

    /// <summary>How many PUBREL wait to be sent.</summary>
    internal int OwedReleases => _releases.Count;

    /// <summary>The memory they take, about.</summary>
    public long Bytes { get; private set; }

    private int InFlight => _inFlight.Count - _finished.Count - _reserved;

    private long Committed => _log?.Committed ?? 0;

    /// <summary>Goes on with a message of an earlier process.</summary>
    internal void Restore(Outgoing outgoing, long number, bool isReleased)
    {
        _waiting.Enqueue(new QueuedMessage(outgoing, number) { IsReleased = isReleased });
        Keep(outgoing);
        _lastNumber = number;
    }

    /// <summary>What that process may have sent is in flight; null for everything.</summary>
    internal void Restored(long? lastSent)
    {
        LastSent = lastSent ?? _lastNumber;
        _lastNumber = Math.Max(_lastNumber, LastSent);
        while (_waiting.TryPeek(out var next) && next.Number <= LastSent && _inFlight.TryAdd(IdOf(next.Number), next))
            _waiting.Dequeue();
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
        foreach (var (id, sent) in _inFlight.Where(entry => !entry.Value.IsFinished).OrderBy(entry => entry.Value.Number))
        {
            sent.IsOnWire = false;
            _again.Enqueue(id);
        }
    }

    /// <summary>The connection is gone: what came at QoS 0 is not kept for the next one.</summary>
    /// <returns>How many messages that were.</returns>
    public int Disconnected()
    {
        var all = _waiting.Count;
        for (var left = _waiting.Count; left > 0; left--)
        {
            var message = _waiting.Dequeue();
            if (message.Outgoing.Qos > 0)
                _waiting.Enqueue(message);
            else
                Forget(message);
        }
        return all - _waiting.Count;
    }

    /// <summary>How many messages have expired before they were sent, since this was asked last.</summary>
    internal int TakeExpired()
    {
        var expired = _expired;
        _expired = 0;
        return expired;
    }

    /// <summary>Adds a message to the end of the queue.</summary>
    /// <returns>The batch of the log that it is in; 0 for none.</returns>
    public long Add(in Outgoing outgoing)
    {
        var message = new QueuedMessage(outgoing, outgoing.Qos > 0 ? NextNumber() : 0);
        message.Batch = _log?.Queue(message.Number, outgoing) ?? 0;
        _waiting.Enqueue(message);
        Keep(outgoing);
        return message.Batch;
    }

    /// <summary>The session is over: nothing waits any more.</summary>
    internal void End()
    {
        foreach (var message in _waiting.Concat(_inFlight.Values.Where(static sent => !sent.IsFinished)))
            Forget(message);
        _share?.Settle();
        _waiting.Clear();
        _inFlight.Clear();
    }

    /// <summary>Takes an identifier for a packet that is no message [MQTT-2.2.1-3].</summary>
    public ushort Reserve()
    {
        var number = NextNumber();
        if (!_inFlight.TryAdd(IdOf(number), new QueuedMessage(default, number) { IsFinished = true }))
            throw new InvalidOperationException("every packet identifier is in use");
        _reserved++;
        return IdOf(number);
    }

    /// <summary>Gives it back.</summary>
    public void Free(ushort packetId)
    {
        _inFlight.Remove(packetId);
        _reserved--;
    }

    /// <summary>What may be sent now.</summary>
    /// <returns>False when there is nothing, or not yet; or when so many had expired that it is to be asked again.</returns>
    public bool TryNext(TimeSpan now, out Transmission next)
    {
        FreeIdentifiers();
        if (_releases.TryPeek(out var release) && (release.Message is not { } message || message.Batch <= Committed)) // Else the message could come again after PUBREL.
        {
            _releases.Dequeue();
            next = new Transmission(release.PacketId, Dup: false, Found: release.Message is not null);
            return true;
        }
        return TryAgain(out next) || TryNew(now, out next);
    }

    /// <summary>PUBACK: the message has arrived, or is not wanted.</summary>
    public void Acknowledged(ushort packetId, ReasonCode reason = ReasonCode.Success)
    {
        if (TryFind(packetId, 1, out var sent))
            Finish(sent, reason);
    }

    /// <summary>PUBREC: the client has the message, or does not want it [MQTT-4.3.3-4].</summary>
    public void Received(ushort packetId, ReasonCode reason)
    {
        _ = TryFind(packetId, 2, out var sent);
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
        if (!TryFind(packetId, 2, out var sent))
            return;
        if (!sent.IsReleased)
            throw ProtocolException.Error("PUBCOMP before PUBREC");
        Finish(sent, ReasonCode.Success);
    }

    // What the other side has said it has received was in the session that it has lost: it goes out as well, rather twice than never.
    private void StartAnew()
    {
        List<QueuedMessage> all = [.. _inFlight.Values.Where(sent => !sent.IsFinished).OrderBy(sent => sent.Number), .. _waiting];
        _inFlight.Clear();
        _finished.Clear();
        _waiting.Clear();
        _reserved = 0;
        foreach (var message in all)
        {
            message.IsReleased = false;
            _waiting.Enqueue(message);
        }
    }

    private bool TryAgain(out Transmission next)
    {
        next = default;
        while (_again.TryPeek(out var id))
        {
            if (!_inFlight.TryGetValue(id, out var sent) || sent.IsFinished)
            {
                _again.Dequeue(); // Answered meanwhile.
                continue;
            }
            if (sent.Batch > Committed || (!sent.IsReleased && _onWire >= _receiveMaximum))
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
        for (var left = MostExpiredAtOnce; left > 0 && _waiting.TryPeek(out var message);)
        {
            ref readonly var outgoing = ref message.Outgoing;
            var isWithdrawn = outgoing.Answered is { Task.IsCompleted: true };
            if (isWithdrawn || outgoing.Message.IsExpired(now))
            {
                Forget(_waiting.Dequeue()); // [MQTT-3.3.2-5]
                if (!isWithdrawn)
                {
                    _expired++;
                    left--;
                }
                outgoing.Answered?.TrySetCanceled();
                if (outgoing.Qos > 0)
                    _log?.Finish(message.Number);
                continue;
            }
            if (outgoing.Qos == 0)
            {
                Forget(_waiting.Dequeue());
                next = new Transmission(0, Dup: false, Found: true) { Queued = message }; // [MQTT-4.3.1-1]
                return true;
            }
            if (message.Batch > Committed || _again.Count > 0 || InFlight >= _receiveMaximum)
                return false; // [MQTT-4.9.0-2]
            var id = IdOf(message.Number);
            if (!_inFlight.TryAdd(id, message))
                return false; // It waits until the identifier is free [MQTT-2.2.1-4].
            _waiting.Dequeue();
            PutOnWire(message);
            next = new Transmission(id, Dup: false, Found: true) { Queued = message }; // [MQTT-4.3.2-1], [MQTT-4.3.3-1]
            return true;
        }
        return false;
    }

    private void PutOnWire(QueuedMessage sent)
    {
        sent.IsOnWire = true;
        LastSent = Math.Max(LastSent, sent.Number);
        _onWire++;
    }

    private bool TryFind(ushort packetId, int qos, [NotNullWhen(true)] out QueuedMessage? sent)
    {
        if (!_inFlight.TryGetValue(packetId, out sent) || sent.IsFinished)
        {
            sent = null;
            return false;
        }
        return sent.Outgoing.Qos == qos ? true : throw ProtocolException.Error($"an answer of QoS {qos} to a message at QoS {sent.Outgoing.Qos}"); // [MQTT-4.3.2-3], [MQTT-4.3.3-4]
    }

    private void Finish(QueuedMessage sent, ReasonCode reason)
    {
        if (sent.IsOnWire)
            _onWire--;
        sent.IsFinished = true;
        sent.Batch = _log?.Finish(sent.Number) ?? 0;
        _finished.Enqueue(sent);
        Forget(sent);
        FreeIdentifiers();
        sent.Outgoing.Answered?.TrySetResult(reason);
    }

    // Not before it is durable that they are: after a crash, PUBREL for the old message would be taken for the new one's.
    private void FreeIdentifiers()
    {
        while (_finished.TryPeek(out var sent) && sent.Batch <= Committed)
            _inFlight.Remove(IdOf(_finished.Dequeue().Number));
    }

    private void Keep(in Outgoing outgoing)
    {
        Bytes += outgoing.Size;
        _share?.Add(outgoing.Message);
    }

    private void Forget(QueuedMessage message)
    {
        Bytes -= message.Outgoing.Size;
        _share?.Remove(message.Outgoing.Message);
    }

    private static ushort IdOf(long number) => (ushort)(((number - 1) % ushort.MaxValue) + 1);

    // One whose identifier is in use would have to wait for it.
    private long NextNumber()
    {
        do
            _lastNumber++;
        while (_inFlight.Count < ushort.MaxValue && _inFlight.ContainsKey(IdOf(_lastNumber)));
        return _lastNumber;
    }
}
