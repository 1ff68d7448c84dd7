using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>A SUBSCRIBE or UNSUBSCRIBE, until the server has answered it.</summary>
/// <param name="answer">The type of the answer.</param>
/// <param name="filters">How many filters it has.</param>
/// <param name="write">Writes it under an identifier.</param>
internal sealed class Request(PacketType answer, int filters, Action<PacketWriter, ProtocolVersion, ushort> write)
{
    /// <summary>What became of each filter.</summary>
    public TaskCompletionSource<IReadOnlyList<ReasonCode>> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Pings that were answered before it.</summary>
    public int Pings { get; set; }

    /// <summary>Writes it.</summary>
    public void Write(PacketWriter writer, ProtocolVersion version, ushort packetId) => write(writer, version, packetId);

    /// <summary>It is done, in one way for all of its filters.</summary>
    public void Finish(ReasonCode reason) => Answered.TrySetResult(Enumerable.Repeat(reason, filters).ToList());

    /// <summary>The answer has come.</summary>
    public void Finish(SubAckPacket packet, ProtocolVersion version)
    {
        if (packet.Type != answer)
            throw ProtocolException.Error($"{packet.Type} where {answer} was due");
        if (packet.Type == PacketType.UnsubAck && version != ProtocolVersion.V5) // It says nothing.
            Finish(ReasonCode.Success);
        else if (packet.Reasons.Count != filters)
            throw ProtocolException.Error($"{packet.Type} with {packet.Reasons.Count} reason codes for {filters} filters"); // [MQTT-3.8.4-5], [MQTT-3.11.3-1]
        else
            Answered.TrySetResult(packet.Reasons);
    }
}

/// <summary>What a client has asked for, as a pure state machine: it outlives connections, and is asked for again on the next one. Each has somebody who waits for it.</summary>
/// <param name="ids">Packet identifiers are shared with messages.</param>
internal sealed class Requests(Sender ids)
{
    // A server answers in order: one that answers pings, but not the request before them, has forgotten it.
    private const int PatienceInPings = 2;

    // Fewer than there are identifiers that messages leave.
    private const int MostSent = 512;

    private readonly Dictionary<ushort, Request> _sent = [];
    private Queue<Request> _waiting = new();

    /// <summary>Nothing waits to be sent.</summary>
    public bool AreSent => _waiting.Count == 0;

    /// <summary>Adds one.</summary>
    public void Add(Request request) => _waiting.Enqueue(request);

    /// <summary>Writes what waits.</summary>
    public void Write(PacketWriter writer, Terms terms)
    {
        while (_sent.Count < MostSent && _waiting.TryDequeue(out var request))
        {
            if (request.Answered.Task.IsCompleted)
                continue; // Nobody waits for it any more.
            var (id, start) = (ids.Reserve(), writer.Length);
            request.Write(writer, terms.Version, id);
            if (writer.Length - start <= terms.MaximumPacketSize)
            {
                _sent.Add(id, request);
                continue;
            }
            writer.CutTo(start); // [MQTT-3.2.2-15]
            ids.Free(id);
            request.Finish(ReasonCode.PacketTooLarge);
        }
    }

    /// <summary>SUBACK or UNSUBACK has come. An identifier that is not known says nothing.</summary>
    public void Answered(SubAckPacket packet, ProtocolVersion version)
    {
        if (!_sent.TryGetValue(packet.PacketId, out var request))
            return;
        request.Finish(packet, version);
        _sent.Remove(packet.PacketId);
        ids.Free(packet.PacketId);
    }

    /// <summary>A ping was answered.</summary>
    public void Ponged()
    {
        foreach (var request in _sent.Values)
        {
            if (++request.Pings >= PatienceInPings)
                throw new MqttClientException("it does not answer the subscription");
        }
    }

    /// <summary>The connection has ended: what is unanswered is asked again, before what waits.</summary>
    public void Disconnected()
    {
        foreach (var (id, request) in _sent)
        {
            ids.Free(id);
            request.Pings = 0;
        }
        _waiting = new Queue<Request>([.. _sent.Values, .. _waiting]);
        _sent.Clear();
    }
}
