using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Feeds;

/// <summary>
/// Results on their way to a broker, as a pure state machine in front of the client, which sends what it is given to the end. A result that was not given to it yet gives way to a
/// newer one of its topic, so the outbox never holds more than one such result a topic, and the last one is always sent.
/// </summary>
/// <remarks>
/// A broker that does not take a result may do no more than close the connection, which is all that MQTT 3.1.1 lets it do. Once two connections in a row have
/// ended with the same topic next to be answered, its result goes out alone; if that ends a third one, it is given up. Then more and more go out at a time again.
/// </remarks>
internal sealed class ResultOutbox
{
    private const int MostEndings = 3;

    private readonly Dictionary<string, byte[]> _unsent = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly LinkedList<SentResult> _sent = new();
    private int _limit;
    private (string Topic, int Endings) _suspect = ("", 0);

    /// <summary>Nothing waits to be sent or acknowledged.</summary>
    public bool IsEmpty => _order.Count == 0 && _sent.Count == 0;

    /// <summary>How many may be in flight, where the broker takes as many.</summary>
    public int Window { get; private set; } = ushort.MaxValue;

    /// <summary>Takes a result in.</summary>
    public void Add(string topic, byte[] payload)
    {
        if (!_unsent.TryAdd(topic, payload))
            _unsent[topic] = payload;
        else
            _order.Enqueue(topic);
    }

    /// <summary>A connection was accepted. When the session is lost, what is not acknowledged goes out as new, but for what there is a newer one of.</summary>
    /// <param name="sessionPresent">The broker knows our session.</param>
    /// <param name="receiveMaximum">How many may be in flight.</param>
    public void Connected(bool sessionPresent, int receiveMaximum)
    {
        _limit = receiveMaximum;
        if (sessionPresent)
            return;
        var newer = _order.ToHashSet(StringComparer.Ordinal);
        for (var last = _sent.Last; last is not null;)
        {
            var (result, earlier) = (last.Value, last.Previous);
            if (!newer.Add(result.Topic))
                GiveUp(result);
            last = earlier;
        }
    }

    /// <summary>There will be no newer ones: all go to the client at once.</summary>
    public void Close() => (_limit, Window) = (int.MaxValue, int.MaxValue);

    /// <summary>The next one for the client.</summary>
    public bool TryNext(out SentResult next)
    {
        next = null!;
        if (_sent.Count >= Math.Min(_limit, Window) || !_order.TryDequeue(out var topic))
            return false;
        _unsent.Remove(topic, out var payload);
        next = new SentResult(topic, payload!);
        _sent.AddLast(next.Place);
        return true;
    }

    /// <summary>The broker has one, or does not want it.</summary>
    public void Answered(SentResult result)
    {
        if (result.Place.List is null)
            return;
        _sent.Remove(result.Place);
        if (Window < ushort.MaxValue)
            Window++;
        if (result.Topic == _suspect.Topic)
            _suspect = default;
    }

    /// <summary>One was answered in a way that lets it go out again, unless there is a newer one.</summary>
    public void AddAgain(SentResult result)
    {
        if (_unsent.TryAdd(result.Topic, result.Payload))
            _order.Enqueue(result.Topic);
    }

    /// <summary>The connection has ended, and not by our will.</summary>
    /// <param name="givenUp">The topic of a result that goes out no more: several connections in a row have ended with it.</param>
    /// <returns>Whether a result is under suspicion of having ended it.</returns>
    public bool Ended(out string? givenUp)
    {
        (givenUp, _limit) = (null, 0);
        var oldest = _sent.FirstOrDefault(result => !result.Answer.IsCompleted); // A broker answers in order.
        if (oldest is null)
            return false;
        var topic = oldest.Topic;
        _suspect = (topic, topic == _suspect.Topic ? _suspect.Endings + 1 : 1);
        if (_suspect.Endings == 1)
            return false; // Connections end every day.
        if (_suspect.Endings == MostEndings)
        {
            GiveUp(oldest);
            _suspect = default;
            givenUp = topic;
        }
        Window = 1;
        return true;
    }

    private void GiveUp(SentResult result)
    {
        _sent.Remove(result.Place);
        result.GiveUp();
    }
}

/// <summary>A result that the client has.</summary>
internal sealed class SentResult : IDisposable
{
    private readonly CancellationTokenSource _givenUp = new();

    /// <summary>One that it is to get.</summary>
    public SentResult(string topic, byte[] payload) => (Topic, Payload, Place) = (topic, payload, new LinkedListNode<SentResult>(this));

    /// <summary>Where to.</summary>
    public string Topic { get; }

    /// <summary>What.</summary>
    public byte[] Payload { get; }

    /// <summary>Among the others.</summary>
    public LinkedListNode<SentResult> Place { get; }

    /// <summary>Cancelled when it is not to be sent any more.</summary>
    public CancellationToken GivenUp => _givenUp.Token;

    /// <summary>The broker's answer.</summary>
    public Task<ReasonCode> Answer { get; set; } = Task.FromResult(ReasonCode.Success);

    /// <summary>It is not to be sent any more.</summary>
    public void GiveUp() => _givenUp.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _givenUp.Dispose();
}
