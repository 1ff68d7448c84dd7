using System.Text;

namespace Meanwhile.Feeds;

/// <summary>
/// Results on their way to a broker at QoS 1, as a pure state machine. A result that has not been sent yet gives way to a newer one of its topic, so
/// the outbox never holds more than one unsent result a topic, and the last one is always sent.
/// </summary>
internal sealed class ResultOutbox
{
    private readonly Dictionary<string, byte[]> _unsent = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly Dictionary<ushort, (long Order, string Topic, byte[] Payload)> _inFlight = [];
    private readonly Queue<ushort> _resend = new();
    private ushort _lastId;
    private long _sent;
    private int _limit = 1;

    /// <summary>Nothing waits to be sent or acknowledged.</summary>
    public bool IsEmpty => _order.Count == 0 && _inFlight.Count == 0;

    /// <summary>Takes a result in.</summary>
    public void Add(string topic, byte[] payload)
    {
        if (!_unsent.TryAdd(topic, payload))
            _unsent[topic] = payload;
        else
            _order.Enqueue(topic);
    }

    /// <summary>A connection was accepted. What is not acknowledged is sent again, with its identifier [MQTT-4.4.0-1], or as new when the session is lost.</summary>
    /// <param name="sessionPresent">The broker knows our session.</param>
    /// <param name="receiveMaximum">How many may be in flight [MQTT-3.3.4-9].</param>
    public void Connected(bool sessionPresent, int receiveMaximum)
    {
        _limit = receiveMaximum;
        _resend.Clear();
        if (sessionPresent)
        {
            foreach (var (id, _) in _inFlight.OrderBy(result => result.Value.Order)) // [MQTT-4.6.0-1]
                _resend.Enqueue(id);
            return;
        }
        foreach (var (_, topic, payload) in _inFlight.Values.OrderByDescending(result => result.Order))
        {
            if (_unsent.TryAdd(topic, payload)) // Otherwise a newer one waits already.
                _order.Enqueue(topic);
        }
        _inFlight.Clear();
    }

    /// <summary>The next PUBLISH to send.</summary>
    public bool TryNext(out (ushort Id, string Topic, byte[] Payload, bool Dup) next)
    {
        if (_resend.TryDequeue(out var id) && _inFlight.TryGetValue(id, out var again))
        {
            next = (id, again.Topic, again.Payload, Dup: true);
            return true;
        }
        if (_inFlight.Count >= _limit || !_order.TryDequeue(out var topic))
        {
            next = default;
            return false;
        }
        _unsent.Remove(topic, out var payload);
        _inFlight.Add(id = NextId(), (_sent++, topic, payload!));
        next = (id, topic, payload!, Dup: false);
        return true;
    }

    /// <summary>A PUBACK arrived.</summary>
    public void Acknowledged(ushort id) => _inFlight.Remove(id);

    /// <summary>How long the PUBLISH of a result is in MQTT 5.0, whose brokers may have a limit.</summary>
    public static long PacketSize(string topic, byte[] payload)
    {
        var rest = 2L + Encoding.UTF8.GetByteCount(topic) + 2 + 1 + payload.Length; // Topic with its length, identifier, no properties, payload.
        return 1 + (rest < 1 << 7 ? 1 : rest < 1 << 14 ? 2 : rest < 1 << 21 ? 3 : 4) + rest; // [MQTT-1.5.5]
    }

    private ushort NextId()
    {
        do
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1); // Never 0 [MQTT-2.2.1-3].
        while (_inFlight.ContainsKey(_lastId));
        return _lastId;
    }
}
