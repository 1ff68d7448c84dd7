using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What PUBLISH and PUBREL of a connected client do. No packet of these is the last one.</summary>
/// <param name="session">Its session.</param>
/// <param name="terms">What was agreed on.</param>
/// <param name="output">For answers.</param>
/// <param name="parts">What all connections share.</param>
/// <param name="closing">Cancelled when the connection is being closed.</param>
internal sealed class PublishHandler(ClientSession session, Terms terms, ConnectionWriter output, BrokerParts parts, CancellationToken closing)
{
    private readonly TopicCache _topics = new();
    private readonly IncomingBatch _batch = new(parts.Incoming, parts.Drops, closing);
    private readonly bool _isStrict = terms.Version == ProtocolVersion.V5 && parts.Limits.IsReceiveMaximumStrict;

    /// <summary>When the packets that are handled now were read.</summary>
    public DateTimeOffset Received { get; set; }

    /// <summary>Hands over what was handled: at the end of a read.</summary>
    public ValueTask FlushAsync() => _batch.FlushAsync();

    /// <summary>A PUBLISH arrived.</summary>
    public ValueTask<bool> PublishAsync(Frame frame)
    {
        var publish = PublishPacket.Read(frame, terms.Version, _topics);
        if (publish.Properties.Number(PropertyId.SubscriptionIdentifier) is not null)
            throw ProtocolException.Error("a subscription identifier from a client"); // [MQTT-3.3.4-6]
        if (publish.Payload.Length > parts.Limits.PayloadSize)
            throw new ProtocolException(ReasonCode.PacketTooLarge, $"a payload of {publish.Payload.Length} bytes, more than {parts.Limits.PayloadSize}");
        var topic = session.TopicOf(publish);
        if (RefusalOf(publish, topic) is var refusal and not ReasonCode.Success)
            return RefuseAsync(publish, topic, refusal);
        if (publish.Qos == 0 && parts.Memory.IsFull && parts.Incoming.IsHeld(topic))
        {
            parts.Drops.Add(DropKind.NoMemory, session.ClientId, 1); // There is no answer at QoS 0.
            return ValueTask.FromResult(false);
        }
        var message = _batch.Read(topic, publish, parts.Now());
        return TryTake(publish, message, out var incoming) ? FinishAsync(_batch.AddAsync(incoming)) : TakeLaterAsync(publish, message);
    }

    /// <summary>A PUBREL arrived.</summary>
    public ValueTask<bool> ReleaseAsync(PublishAckPacket release)
    {
        Incoming incoming;
        lock (session.Gate)
            incoming = session.Release(release.PacketId);
        var taking = _batch.AddAsync(incoming);
        return taking.IsCompletedSuccessfully ? ListenedToAsync() : FinishAsync(taking);
    }

    /// <summary>A client that sends without listening waits, so that what is owed to it stays bounded.</summary>
    public ValueTask<bool> ListenedToAsync()
    {
        var limit = 2 * parts.Limits.ReceiveMaximum;
        return HasRoom(limit) ? ValueTask.FromResult(false) : WaitAsync(limit);

        async ValueTask<bool> WaitAsync(int limit)
        {
            await RoomAsync(limit);
            return false;
        }
    }

    // Before 5.0 there is no Receive Maximum, there are clients of 5.0 that do not know it, and it does not count QoS 0: it is TCP that slows them down. Without that, all
    // others would wait behind what one client sends.
    private bool TryTake(in PublishPacket publish, Message message, out Incoming incoming)
    {
        lock (session.Gate)
        {
            incoming = default;
            if (publish.Qos == 0 ? IsFullAtQos0 : !_isStrict && session.Owed >= parts.Limits.ReceiveMaximum)
                return false;
            incoming = session.Publish(publish, message, Received);
            return true;
        }
    }

    private async ValueTask<bool> TakeLaterAsync(PublishPacket publish, Message message)
    {
        Incoming incoming;
        do
            await RoomAsync(parts.Limits.ReceiveMaximum);
        while (!TryTake(publish, message, out incoming));
        return await FinishAsync(_batch.AddAsync(incoming));
    }

    private ReasonCode RefusalOf(in PublishPacket publish, string topic)
    {
        if (!parts.Limits.Allows(topic))
            return ReasonCode.TopicNameInvalid;
        if (!session.Permissions.LetPublish(topic, session.ClientId))
            return ReasonCode.NotAuthorized;
        // What comes again may be known already: then it was taken in.
        return publish.Qos > 0 && !publish.Dup && parts.Router.IsRefused(topic, publish) ? ReasonCode.QuotaExceeded : ReasonCode.Success;
    }

    // At QoS 0 and in 3.1.1 there is no answer that could say it: what the client may not publish is ignored, and acknowledged as if it were not; for other
    // reasons the connection is closed [MQTT-3.3.5-2] of 3.1.1.
    private async ValueTask<bool> RefuseAsync(PublishPacket publish, string topic, ReasonCode reason)
    {
        if (reason != ReasonCode.NotAuthorized && (publish.Qos == 0 || terms.Version != ProtocolVersion.V5))
            throw new ProtocolException(reason, $"a message to '{topic}' that is refused");
        parts.Refused(new Refusal(RefusalKind.Message, session.ClientId, reason, topic));
        if (publish.Qos == 0)
            return false;
        await RoomAsync(1); // In its turn [MQTT-4.6.0-2], [MQTT-4.6.0-3].
        var type = publish.Qos == 1 ? PacketType.PubAck : PacketType.PubRec;
        var answer = new PublishAckPacket(type, publish.PacketId, reason);
        await output.AnswerAsync(writer => answer.Write(writer, terms.Version));
        return false;
    }

    private static ValueTask<bool> FinishAsync(ValueTask taking)
    {
        return taking.IsCompletedSuccessfully ? ValueTask.FromResult(false) : WaitAsync(taking);

        static async ValueTask<bool> WaitAsync(ValueTask taking)
        {
            await taking;
            return false;
        }
    }

    private async ValueTask RoomAsync(int limit)
    {
        await FlushAsync(); // It may be that what is waited for.
        output.WakeUp(); // Once: from here on a commit does it. Each of the two would wake the other for nothing as long as the store waits.
        while (!HasRoom(limit))
            await output.RoomAsync();
    }

    private bool HasRoom(int limit)
    {
        lock (session.Gate)
            return session.Owed < limit && !IsFullAtQos0;
    }

    private bool IsFullAtQos0 => session.UnsettledAtQos0 >= parts.Limits.ReceiveMaximum;
}
