using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>
/// The sending half of MQTT's delivery guarantees for one session, as a pure state machine: messages are added, answers of the client are reported, and
/// it says what may be sent. It outlives connections.
/// </summary>
internal sealed class Sender
{
    private readonly Queue<Outgoing> _waiting = new();
    private readonly Dictionary<ushort, InFlight> _inFlight = [];
    private readonly Queue<ushort> _again = new();
    private readonly Queue<(ushort PacketId, bool Found)> _releases = new();
    private int _receiveMaximum;
    private int _onWire;
    private ushort _lastId;
    private long _lastNumber;

    /// <summary>How many messages wait for the client or for its answer.</summary>
    public int Count => _waiting.Count + _inFlight.Count;

    /// <summary>How many PUBREL wait to be sent.</summary>
    public int OwedReleases => _releases.Count;

    /// <summary>The memory they take, about.</summary>
    public long Bytes { get; private set; }

    /// <summary>A connection was accepted: what is unanswered goes out again, in its old order, before anything new [MQTT-4.4.0-1], [MQTT-4.6.0-1].</summary>
    /// <param name="receiveMaximum">How many the client takes unanswered [MQTT-3.3.4-9].</param>
    public void Connected(int receiveMaximum)
    {
        _receiveMaximum = receiveMaximum;
        _onWire = 0;
        _releases.Clear();
        _again.Clear();
        foreach (var (id, sent) in _inFlight.OrderBy(entry => entry.Value.Number))
        {
            sent.IsOnWire = false;
            _again.Enqueue(id);
        }
    }

    /// <summary>The connection is gone: what came at QoS 0 is not kept for the next one.</summary>
    public void Disconnected()
    {
        for (var left = _waiting.Count; left > 0; left--)
        {
            var outgoing = _waiting.Dequeue();
            if (outgoing.Qos > 0)
                _waiting.Enqueue(outgoing);
            else
                Bytes -= outgoing.Message.Size;
        }
    }

    /// <summary>Adds a message to the end of the queue.</summary>
    public void Add(Outgoing outgoing)
    {
        _waiting.Enqueue(outgoing);
        Bytes += outgoing.Message.Size;
    }

    /// <summary>What may be sent now.</summary>
    public bool TryNext(TimeSpan now, out Transmission next)
    {
        if (_releases.TryDequeue(out var release))
        {
            next = new Transmission(release.PacketId, Dup: false, release.Found, default);
            return true;
        }
        return TryAgain(out next) || TryNew(now, out next);
    }

    /// <summary>PUBACK: the message has arrived.</summary>
    public void Acknowledged(ushort packetId)
    {
        if (TryFind(packetId, 1, out var sent))
            Finish(packetId, sent);
    }

    /// <summary>PUBREC: the client has the message, or does not want it [MQTT-4.3.3-4].</summary>
    public void Received(ushort packetId, ReasonCode reason)
    {
        var found = TryFind(packetId, 2, out var sent);
        if (sent is not null && reason >= ReasonCodes.FirstError)
        {
            Finish(packetId, sent);
            return;
        }
        if (sent is not null)
            sent.IsReleased = true; // From here on the message is never sent again [MQTT-4.3.3-6].
        _releases.Enqueue((packetId, found));
    }

    /// <summary>PUBCOMP: the identifier is free.</summary>
    public void Completed(ushort packetId)
    {
        if (TryFind(packetId, 2, out var sent) && sent.IsReleased)
            Finish(packetId, sent);
    }

    private bool TryAgain(out Transmission next)
    {
        next = default;
        while (_again.TryPeek(out var id))
        {
            if (!_inFlight.TryGetValue(id, out var sent))
            {
                _again.Dequeue(); // Answered meanwhile.
                continue;
            }
            if (!sent.IsReleased && _onWire >= _receiveMaximum)
                return false;
            _again.Dequeue();
            next = new Transmission(id, Dup: true, Found: true, sent.IsReleased ? default : sent.Outgoing); // [MQTT-3.3.1-1]
            if (!sent.IsReleased)
                PutOnWire(sent);
            return true;
        }
        return false;
    }

    private bool TryNew(TimeSpan now, out Transmission next)
    {
        next = default;
        while (_waiting.TryPeek(out var outgoing))
        {
            if (outgoing.Message.IsExpired(now))
            {
                Forget(_waiting.Dequeue()); // [MQTT-3.3.2-5]
                continue;
            }
            if (outgoing.Qos == 0)
            {
                Forget(_waiting.Dequeue());
                next = new Transmission(0, Dup: false, Found: true, outgoing); // [MQTT-4.3.1-1]
                return true;
            }
            if (_again.Count > 0 || _inFlight.Count >= _receiveMaximum)
                return false; // [MQTT-4.9.0-2]
            _waiting.Dequeue();
            var sent = new InFlight(outgoing, _lastNumber++);
            _inFlight.Add(NextId(), sent);
            PutOnWire(sent);
            next = new Transmission(_lastId, Dup: false, Found: true, outgoing); // [MQTT-4.3.2-1], [MQTT-4.3.3-1]
            return true;
        }
        return false;
    }

    private void PutOnWire(InFlight sent)
    {
        sent.IsOnWire = true;
        _onWire++;
    }

    private bool TryFind(ushort packetId, int qos, [NotNullWhen(true)] out InFlight? sent)
    {
        if (_inFlight.TryGetValue(packetId, out sent) && sent.Outgoing.Qos == qos)
            return true;
        sent = null;
        return false;
    }

    private void Finish(ushort packetId, InFlight sent)
    {
        _inFlight.Remove(packetId);
        if (sent.IsOnWire)
            _onWire--;
        Forget(sent.Outgoing);
    }

    private void Forget(Outgoing outgoing) => Bytes -= outgoing.Message.Size;

    // An identifier that is not in use [MQTT-2.2.1-4]; there is one, because fewer are in flight than there are.
    private ushort NextId()
    {
        do
            _lastId++;
        while (_lastId == 0 || _inFlight.ContainsKey(_lastId));
        return _lastId;
    }

    private sealed class InFlight(Outgoing outgoing, long number)
    {
        public Outgoing Outgoing { get; } = outgoing;

        public long Number { get; } = number;

        public bool IsReleased { get; set; }

        public bool IsOnWire { get; set; }
    }
}
