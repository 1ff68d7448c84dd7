using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>
/// A client's side of a session as a pure state machine: packets and the time go in, deliveries and packets come out. It outlives its connections. Whoever shares it between
/// threads holds <see cref="Gate"/>.
/// </summary>
internal sealed class ClientState
{
    // Servers of 3.1.1 do not say how much they take at once.
    private const int MostInFlightByDefault = 20;

    // Some identifiers are for what is no message.
    private const int MostIdentifiers = ushort.MaxValue - 1024;

    // PUBREC and PUBCOMP for each identifier, twice over: no server that waits for answers gets there.
    private const int MostOwed = 4 * ushort.MaxValue;

    private readonly ClientOptions _options;
    private readonly Receiver _receiver;
    private readonly Sender _sender = new();
    private readonly Requests _requests;
    private ReceivedAliases _aliases = new(0);
    private Terms? _terms;
    private int _forgettings;

    /// <summary>Begins with what an earlier process has stored.</summary>
    public ClientState(ClientOptions options)
    {
        (_options, ClientId) = (options, options.ClientId);
        _receiver = new Receiver(options.ReceivedIds);
        _requests = new Requests(_sender);
    }

    /// <summary>Held while any other member is used.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Names the session; the server may have chosen it.</summary>
    public string ClientId { get; private set; }

    /// <summary>Nothing waits to be sent, and no message for its answer; acknowledgements that the host still owes aside.</summary>
    public bool IsIdle => _sender.Count == 0 && _requests.AreSent;

    /// <summary>How many messages at QoS 1 and 2 go out before the first is answered, where the server takes as many.</summary>
    public int MostInFlight
    {
        set => _sender.MostInFlight = value;
    }

    /// <summary>A connection was accepted.</summary>
    /// <param name="accepted">The server's answer.</param>
    /// <param name="version">In which version.</param>
    /// <returns>What the host has to store before anything of this connection; null for nothing.</returns>
    public Incoming? Connected(ConnAckPacket accepted, ProtocolVersion version)
    {
        ClientId = accepted.Properties.Text(PropertyId.AssignedClientIdentifier) ?? ClientId; // [MQTT-3.2.2-16]
        _terms = new Terms(accepted, version, MostInFlightByDefault);
        _aliases = new ReceivedAliases(_options.TopicAliasMaximum);
        _sender.Connected(Math.Min(_terms.ReceiveMaximum, MostIdentifiers), accepted.SessionPresent);
        var change = _receiver.Connected(accepted.SessionPresent, version == ProtocolVersion.V5 ? _options.ReceiveMaximum : ushort.MaxValue);
        if (change.Kind != IdChangeKind.AllForgotten || _options is { CleanStart: true, SessionExpiry: 0 }) // The latter is never gone on with.
            return null;
        _forgettings++;
        return new Incoming { Kind = IncomingKind.SessionChange, ClientId = ClientId, IdChange = change };
    }

    /// <summary>The connection is gone. Acknowledgements that are still owed on it are void.</summary>
    public void Disconnected()
    {
        _terms = null;
        _requests.Disconnected();
    }

    /// <summary>The topic of a PUBLISH, alias or not.</summary>
    public string TopicOf(in PublishPacket publish) => _aliases.Resolve(publish);

    /// <summary>A PUBLISH arrived.</summary>
    /// <param name="publish">The packet.</param>
    /// <param name="message">The message in it.</param>
    /// <param name="received">When it was read.</param>
    public Incoming Publish(in PublishPacket publish, Message message, DateTimeOffset received)
    {
        if (publish.Qos > 0 && (_receiver.IsFull || _receiver.Owed >= MostOwed))
            throw new ProtocolException(ReasonCode.ReceiveMaximumExceeded, "it has more messages in flight than it may"); // [MQTT-3.3.4-9]
        var receipt = _receiver.Publish(publish.PacketId, publish.Qos, publish.Dup);
        return Incoming.Of(publish, receipt, ClientId, message, received);
    }

    /// <summary>A PUBREL arrived.</summary>
    public Incoming Release(ushort packetId)
    {
        if (_receiver.Owed >= MostOwed)
            throw new ProtocolException(ReasonCode.ReceiveMaximumExceeded, "it waits for more answers than it may");
        return Incoming.Of(_receiver.Release(packetId), ClientId);
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP arrived.</summary>
    public void Answered(in PublishAckPacket answer)
    {
        if (_sender.OwedReleases >= MostOwed)
            throw new ProtocolException(ReasonCode.ReceiveMaximumExceeded, "it waits for more answers than it may");
        _sender.Answered(answer);
    }

    /// <summary>SUBACK or UNSUBACK arrived.</summary>
    public void Answered(SubAckPacket answer) => _requests.Answered(answer, _terms!.Version);

    /// <summary>PINGRESP arrived.</summary>
    public void Ponged() => _requests.Ponged();

    /// <summary>The host has completed something.</summary>
    /// <returns>Whether a message is acknowledged by it.</returns>
    public bool Complete(in Incoming incoming)
    {
        if (incoming.IdChange.Kind == IdChangeKind.AllForgotten)
            _forgettings--;
        return _receiver.Complete(incoming.Ticket) && incoming.Kind != IncomingKind.SessionChange;
    }

    /// <summary>A message is to be published.</summary>
    public void Add(Outgoing outgoing) => _sender.Add(outgoing);

    /// <summary>Something is to be asked for.</summary>
    public void Add(Request request) => _requests.Add(request);

    /// <summary>Writes what may be sent now, requests and acknowledgements first, up to about a size.</summary>
    /// <returns>False when there may be more.</returns>
    public bool Write(PacketWriter writer, TimeSpan now, int enough)
    {
        if (_terms is not { } terms)
            return true;
        if (_forgettings == 0) // Else, after a crash, identifiers that the host has still stored would make duplicates of new messages.
            _requests.Write(writer, terms);
        while (_receiver.TryNextAcknowledgement(out var acknowledgement))
            acknowledgement.ToPacket().Write(writer, terms.Version);
        while (_sender.TryNext(now, out var next))
        {
            if (next.IsRelease)
                next.Release.Write(writer, terms.Version);
            else
                Write(writer, next, terms, now);
            if (writer.Length >= enough)
                return false;
        }
        return true;
    }

    private void Write(PacketWriter writer, Transmission next, Terms terms, TimeSpan now)
    {
        var refusal = RefusalOf(next.Publish, terms);
        if (refusal == ReasonCode.Success && !OutgoingPublish.TryWrite(writer, next, terms, now))
            refusal = ReasonCode.PacketTooLarge; // [MQTT-3.2.2-15]
        if (next.Publish.Qos == 0)
            next.Publish.Answered?.TrySetResult(refusal); // There is no other answer.
        else if (refusal != ReasonCode.Success && next.Publish.Qos == 1)
            _sender.Acknowledged(next.PacketId, refusal);
        else if (refusal != ReasonCode.Success)
            _sender.Received(next.PacketId, refusal);
    }

    // What the server would end the connection for.
    private static ReasonCode RefusalOf(Outgoing outgoing, Terms terms) =>
        outgoing.Qos > terms.MaximumQos ? ReasonCode.QosNotSupported // [MQTT-3.2.2-11]
        : outgoing.Retain && !terms.TakesRetained ? ReasonCode.RetainNotSupported // [MQTT-3.2.2-14]
        : ReasonCode.Success;
}
