namespace Meanwhile.Mqtt.Delivery;

/// <summary>
/// The receiving half of MQTT's delivery guarantees for one session, as a pure state machine: packets are reported to it, and it says what is to be
/// delivered and which acknowledgements may go out. It has no socket, no clock and no packets, and it is not thread-safe.
/// </summary>
/// <remarks>
/// Acknowledgements leave in order of receipt, each only after the host has called <see cref="Complete"/> for it, and only on the connection
/// that delivered. Clauses are those of MQTT 5.0; 3.1.1 has the same rules under other numbers.
/// </remarks>
public sealed class Receiver
{
    // QoS 2 identifiers between PUBLISH and PUBREL: they outlive the connection and, kept by the host, the process [MQTT-4.1.0-1].
    private readonly PacketIds _received = new();

    // QoS 1 identifiers delivered on an earlier connection of this session and never acknowledged: the sender will send exactly these
    // again [MQTT-4.4.0-1], and cannot have used them for another message meanwhile [MQTT-2.2.1-4].
    private readonly PacketIds _unacknowledged = new();

    // What this connection has brought and was not answered to the end: these count against Receive Maximum.
    private readonly PacketIds _openAtQos1 = new();
    private readonly PacketIds _openAtQos2 = new();

    private readonly AckQueue _owed = new();
    private int _connection;
    private int _receiveMaximum = ushort.MaxValue;
    private int _owedPubAcks;

    /// <summary>A receiver that goes on where an earlier one, perhaps of an earlier process, stopped.</summary>
    /// <param name="receivedIds">The QoS 2 identifiers that were read out of the store at start.</param>
    public Receiver(IEnumerable<ushort> receivedIds)
    {
        foreach (var id in receivedIds)
            _received.Add(id);
    }

    /// <summary>How many acknowledgements are still owed on this connection.</summary>
    public int Owed => _owed.Count;

    /// <summary>
    /// The sender has as much in flight as it may: a PUBLISH at QoS 1 or 2 that it sends nevertheless breaks the protocol, and is to be answered with
    /// DISCONNECT, reason 0x93, in MQTT 5.0 [MQTT-3.3.4-9].
    /// </summary>
    public bool IsFull => _owedPubAcks + _openAtQos2.Count >= _receiveMaximum;

    /// <summary>A connection was accepted. Whatever was owed on an earlier one is void: the sender will send it again.</summary>
    /// <param name="sessionPresent">Both sides go on with the session that they had.</param>
    /// <param name="receiveMaximum">How many messages the sender may have in flight; without a say, as many as there are identifiers [MQTT-5.0, 3.1.2.11.3].</param>
    /// <returns>What the host has to store before anything of this connection.</returns>
    public IdChange Connected(bool sessionPresent, int receiveMaximum = ushort.MaxValue)
    {
        foreach (var owed in _owed.All)
        {
            if (owed is { Kind: AckKind.PubAck, IsRefused: false })
                _unacknowledged.Add(owed.PacketId);
        }
        _owed.Clear();
        _openAtQos1.Clear();
        _openAtQos2.Clear();
        _owedPubAcks = 0;
        _receiveMaximum = receiveMaximum;
        _connection++;
        if (sessionPresent)
            return default;

        // Session Present = 0: both sides start anew [MQTT-3.2.2-5].
        _received.Clear();
        _unacknowledged.Clear();
        return new IdChange(IdChangeKind.AllForgotten, 0);
    }

    /// <summary>A PUBLISH arrived.</summary>
    /// <param name="packetId">The packet identifier; ignored at QoS 0.</param>
    /// <param name="qos">0, 1 or 2.</param>
    /// <param name="dup">An earlier attempt may have been made. No key by itself; but without it, the message is another one [MQTT-3.3.1-1].</param>
    /// <returns>Whether the message is to be delivered, and the ticket of its acknowledgement.</returns>
    public Receipt Publish(ushort packetId, int qos, bool dup) => qos switch
    {
        0 => new Receipt(IsNew: true, default, default),
        1 => PublishAtQos1(packetId, dup),
        2 => PublishAtQos2(packetId),
        _ => throw new ArgumentOutOfRangeException(nameof(qos), qos, "QoS is 0, 1 or 2 [MQTT-3.3.1-4]"),
    };

    /// <summary>A PUBREL arrived: the identifier may be used for another message from now on, once the host has stored that it was released.</summary>
    public Receipt Release(ushort packetId)
    {
        var found = _received.Remove(packetId);
        return new Receipt(found, Owe(AckKind.PubComp, packetId, found), new IdChange(IdChangeKind.Released, packetId)); // [MQTT-4.3.3-11]
    }

    /// <summary>The host has done its work for a ticket.</summary>
    /// <returns>False for a ticket of an earlier connection, which has no effect, and for one that stands for nothing.</returns>
    public bool Complete(Ticket ticket) => ticket.Connection == _connection && ticket.Connection > 0 && _owed.Finish(ticket.Number);

    /// <summary>The host refuses the message of a PUBLISH. The answer says so, and a PUBLISH that comes with the same identifier afterwards is new [MQTT-4.3.3-9].</summary>
    /// <param name="ticket">Of the PUBLISH.</param>
    /// <param name="packetId">Its identifier.</param>
    /// <param name="qos">1 or 2.</param>
    public void Refuse(Ticket ticket, ushort packetId, int qos)
    {
        // It may have come again meanwhile and count as a redelivery. Then that is refused as well.
        if (qos == 2)
            _received.Remove(packetId);
        if (qos == 2 || !_unacknowledged.Remove(packetId))
            _owed.Refuse(qos == 2 ? AckKind.PubRec : AckKind.PubAck, packetId);
        Complete(ticket);
    }

    /// <summary>The host will never have what a ticket of this connection stands for, which is not complete: the sender will send it again, and then it is new. The last one first.</summary>
    public void Withdraw(Ticket ticket)
    {
        if (ticket.Connection != _connection || _owed.Withdraw(ticket.Number) is not { } owed)
            return;
        if (owed.Kind == AckKind.PubRec)
            _received.Remove(owed.PacketId);
        else if (owed is { Kind: AckKind.PubComp, Found: true })
            _received.Add(owed.PacketId);
    }

    /// <summary>The next acknowledgement that may be sent: in the order of receipt [MQTT-4.6.0-2], [MQTT-4.6.0-3].</summary>
    public bool TryNextAcknowledgement(out Acknowledgement acknowledgement)
    {
        if (!_owed.TryTake(out acknowledgement))
            return false;
        Close(acknowledgement);
        return true;
    }

    private Receipt PublishAtQos1(ushort packetId, bool dup)
    {
        // Sent again before it was answered, as old senders of 3.1.1 do: one answer is enough, and a second one might be taken for that of the
        // next message under this identifier, before that is durable.
        if (!_openAtQos1.Add(packetId) && dup)
            return default;
        _owedPubAcks++;
        return new Receipt(!(_unacknowledged.Remove(packetId) && dup), Owe(AckKind.PubAck, packetId, found: true), default); // [MQTT-4.3.2-4]
    }

    private Receipt PublishAtQos2(ushort packetId)
    {
        _openAtQos2.Add(packetId);
        return _received.Add(packetId)
            ? new Receipt(IsNew: true, Owe(AckKind.PubRec, packetId, found: true), new IdChange(IdChangeKind.Received, packetId)) // [MQTT-4.3.3-8]
            : new Receipt(IsNew: false, Owe(AckKind.PubRec, packetId, found: true), default); // [MQTT-4.3.3-10]
    }

    private void Close(Acknowledgement acknowledgement)
    {
        if (acknowledgement.Kind == AckKind.PubComp || acknowledgement is { Kind: AckKind.PubRec, IsRefused: true })
            _openAtQos2.Remove(acknowledgement.PacketId);
        if (acknowledgement.Kind != AckKind.PubAck)
            return;
        _openAtQos1.Remove(acknowledgement.PacketId);
        _owedPubAcks--;
    }

    private Ticket Owe(AckKind kind, ushort packetId, bool found) => new(_connection, _owed.Add(new Acknowledgement(kind, packetId, found)));
}
