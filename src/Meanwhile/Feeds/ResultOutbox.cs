using System.Text;

namespace Meanwhile.Feeds;

/// <summary>
/// Results on their way to a broker at QoS 1, as a pure state machine. A result that has not been sent yet gives way to a newer one of its topic, so
/// the outbox never holds more than one unsent result a topic, and the last one is always sent.
/// </summary>
/// <remarks>
/// A broker that does not take a result may do no more than close the connection, which is all that MQTT 3.1.1 lets it do. Once two connections in a row have
/// ended with the same topic next to be answered, its result goes out alone; if that ends a third one, it is given up. Then more and more go out at a time again.
/// </remarks>
internal sealed class ResultOutbox
{
    private const int MostEndings = 3;
    private const ushort HighestId = ushort.MaxValue - 1; // The last one is for what is no result.

    private readonly Dictionary<string, byte[]> _unsent = new(StringComparer.Ordinal);
    private Queue<string> _order = new();
    private readonly Dictionary<ushort, SentResult> _inFlight = [];
    private readonly Queue<ushort> _resend = new();
    private readonly HashSet<ushort> _unanswered = []; // Sent on this connection.
    private ushort _lastId;
    private long _sent;
    private int _limit = 1;
    private int _window = HighestId;
    private (string Topic, int Endings) _suspect = ("", 0);

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
    /// <param name="receiveMaximum">How many may be in flight on this connection, those that are sent again among them [MQTT-3.3.4-7].</param>
    public void Connected(bool sessionPresent, int receiveMaximum)
    {
        _limit = Math.Min(receiveMaximum, HighestId);
        _unanswered.Clear();
        _resend.Clear();
        if (sessionPresent)
        {
            foreach (var (id, _) in _inFlight.OrderBy(result => result.Value.Order)) // [MQTT-4.6.0-1]
                _resend.Enqueue(id);
            return;
        }
        var waiting = _order.ToHashSet(StringComparer.Ordinal);
        var first = new Queue<string>();
        foreach (var (_, topic, payload) in _inFlight.Values.OrderBy(result => result.Order))
        {
            if (waiting.Contains(topic))
                continue; // A newer one.
            if (_unsent.TryAdd(topic, payload))
                first.Enqueue(topic);
            else
                _unsent[topic] = payload;
        }
        _inFlight.Clear();
        _order = new Queue<string>(first.Concat(_order));
    }

    /// <summary>The next PUBLISH to send.</summary>
    public bool TryNext(out (ushort Id, string Topic, byte[] Payload, bool Dup) next)
    {
        next = default;
        if (_unanswered.Count >= Math.Min(_limit, _window))
            return false;
        while (_resend.TryDequeue(out var id))
        {
            if (!_inFlight.TryGetValue(id, out var again))
                continue;
            _unanswered.Add(id);
            next = (id, again.Topic, again.Payload, Dup: true);
            return true;
        }
        if (!_order.TryDequeue(out var topic))
            return false;
        _unsent.Remove(topic, out var payload);
        next = (NextId(), topic, payload!, Dup: false);
        _inFlight.Add(next.Id, new SentResult(_sent++, topic, payload!));
        _unanswered.Add(next.Id);
        return true;
    }

    /// <summary>A PUBACK arrived.</summary>
    public void Acknowledged(ushort id)
    {
        if (!_inFlight.Remove(id, out var result))
            return;
        _unanswered.Remove(id);
        if (_window < HighestId)
            _window++;
        if (result.Topic == _suspect.Topic)
            _suspect = default;
    }

    /// <summary>The connection has ended, and not by our will.</summary>
    /// <param name="givenUp">The topic of a result that goes out no more: several connections in a row have ended with it.</param>
    /// <returns>Whether a result is under suspicion of having ended it.</returns>
    public bool Ended(out string? givenUp)
    {
        givenUp = null;
        if (_unanswered.Count == 0)
            return false;
        var oldest = _unanswered.MinBy(id => _inFlight[id].Order); // A broker answers in order.
        var topic = _inFlight[oldest].Topic;
        _suspect = (topic, topic == _suspect.Topic ? _suspect.Endings + 1 : 1);
        if (_suspect.Endings == 1)
            return false; // Connections end every day.
        if (_suspect.Endings == MostEndings)
        {
            _inFlight.Remove(oldest);
            _suspect = default;
            givenUp = topic;
        }
        _window = 1;
        return true;
    }

    /// <summary>How long a PUBLISH at QoS 1 is in MQTT 5.0, whose brokers may have a limit.</summary>
    public static long PacketSize(string topic, long payloadLength)
    {
        var rest = 2L + Encoding.UTF8.GetByteCount(topic) + 2 + 1 + payloadLength; // Topic with its length, identifier, no properties, payload.
        return 1 + (rest < 1 << 7 ? 1 : rest < 1 << 14 ? 2 : rest < 1 << 21 ? 3 : 4) + rest; // [MQTT-1.5.5]
    }

    private ushort NextId()
    {
        do
            _lastId = _lastId == HighestId ? (ushort)1 : (ushort)(_lastId + 1); // Never 0 [MQTT-2.2.1-3].
        while (_inFlight.ContainsKey(_lastId));
        return _lastId;
    }

    private readonly record struct SentResult(long Order, string Topic, byte[] Payload);
}
