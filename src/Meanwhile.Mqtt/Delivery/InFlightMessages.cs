using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Delivery;

/// <summary>
/// Messages that were sent and are not answered to the end, by their packet identifiers. A message's number in its session says its identifier, so that it has the same one after a
/// crash, without a commit for each that is sent.
/// </summary>
/// <param name="log">Says what is durable; null for no memory.</param>
internal sealed class InFlightMessages(ISenderLog? log)
{
    private readonly Dictionary<ushort, QueuedMessage> _messages = [];
    private readonly Queue<QueuedMessage> _finished = new(); // Their identifiers are free when that is durable.
    private int _reserved;

    /// <summary>How many are not answered.</summary>
    public int Count => _messages.Count - _finished.Count - _reserved;

    /// <summary>The number that was used last.</summary>
    public long LastNumber { get; private set; }

    /// <summary>The packet identifier of a message.</summary>
    public static ushort IdOf(long number) => (ushort)(((number - 1) % ushort.MaxValue) + 1);

    /// <summary>Those that are not answered, in the order of their numbers.</summary>
    public IEnumerable<QueuedMessage> InOrder() => _messages.Values.Where(static sent => !sent.IsFinished).OrderBy(static sent => sent.Number);

    /// <summary>A number for a message. One whose identifier is in use would have to wait for it.</summary>
    public long NextNumber()
    {
        do
            LastNumber++;
        while (_messages.Count < ushort.MaxValue && _messages.ContainsKey(IdOf(LastNumber)));
        return LastNumber;
    }

    /// <summary>Numbers up to this one were used by an earlier process.</summary>
    public void SkipTo(long number) => LastNumber = Math.Max(LastNumber, number);

    /// <summary>No number is in use: they begin again.</summary>
    public void StartOver() => LastNumber = 0;

    /// <summary>Adds a message.</summary>
    /// <returns>False while its identifier is in use [MQTT-2.2.1-4].</returns>
    public bool TryAdd(QueuedMessage message) => _messages.TryAdd(message.PacketId, message);

    /// <summary>Finds one that is not answered.</summary>
    public bool TryFind(ushort packetId, [NotNullWhen(true)] out QueuedMessage? sent)
    {
        if (_messages.TryGetValue(packetId, out sent) && !sent.IsFinished)
            return true;
        sent = null;
        return false;
    }

    /// <summary>Finds the one that an answer is for.</summary>
    /// <exception cref="ProtocolException">The answer is for another QoS [MQTT-4.3.2-3], [MQTT-4.3.3-4].</exception>
    public bool TryFind(ushort packetId, int qos, [NotNullWhen(true)] out QueuedMessage? sent)
    {
        if (!TryFind(packetId, out sent))
            return false;
        return sent.Outgoing.Qos == qos ? true : throw ProtocolException.Error($"an answer of QoS {qos} to a message at QoS {sent.Outgoing.Qos}");
    }

    /// <summary>One is answered to the end.</summary>
    public void Finish(QueuedMessage sent)
    {
        sent.IsFinished = true;
        _finished.Enqueue(sent);
        FreeIds();
    }

    /// <summary>Frees identifiers. Not before it is durable that they are: after a crash, PUBREL for the old message would be taken for the new one's.</summary>
    public void FreeIds()
    {
        while (_finished.TryPeek(out var sent) && sent.Batch <= (log?.Committed ?? 0))
            _messages.Remove(_finished.Dequeue().PacketId);
    }

    /// <summary>Takes an identifier for a packet that is no message [MQTT-2.2.1-3].</summary>
    public ushort Reserve()
    {
        var place = new QueuedMessage(default, NextNumber()) { IsFinished = true };
        if (!TryAdd(place))
            throw new InvalidOperationException("every packet identifier is in use");
        _reserved++;
        return place.PacketId;
    }

    /// <summary>Gives it back.</summary>
    public void Free(ushort packetId)
    {
        _messages.Remove(packetId);
        _reserved--;
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear()
    {
        _messages.Clear();
        _finished.Clear();
        _reserved = 0;
    }
}
