using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What each packet of a connected client does.</summary>
/// <param name="session">Its session.</param>
/// <param name="terms">What was agreed on.</param>
/// <param name="will">What it leaves behind; null for nothing.</param>
/// <param name="output">For answers.</param>
/// <param name="parts">What all connections share.</param>
/// <param name="closing">Cancelled when the connection is being closed.</param>
/// <param name="gone">Cancelled when the client has left.</param>
internal sealed class PacketHandler(ClientSession session, Terms terms, PendingWill? will, ConnectionWriter output, BrokerParts parts, CancellationToken closing, CancellationToken gone)
{
    // A SUBSCRIBE or UNSUBSCRIBE of this size, in bytes, takes several times as much memory while it is worked off.
    private const int LargeRequest = 64 * 1024;

    private readonly TopicCache _topics = new();
    private readonly IncomingBatch _batch = new(parts.Incoming, parts.Drops, closing);
    private readonly SubscriptionHandler _subscriptions = new(session, parts, closing, gone);
    private readonly bool _isStrict = terms.Version == ProtocolVersion.V5 && parts.Limits.IsReceiveMaximumStrict;
    private bool _hasTakenLeave;

    /// <summary>The session.</summary>
    public ClientSession Session { get; } = session;

    /// <summary>What was agreed on.</summary>
    public Terms Terms { get; } = terms;

    /// <summary>The longest silence that was agreed on.</summary>
    public required TimeSpan KeepAlive { get; init; }

    /// <summary>When the packets that are handled now were read.</summary>
    public DateTimeOffset Received { get; set; }

    /// <summary>Hands over what was handled: at the end of a read.</summary>
    public ValueTask FlushAsync() => _batch.FlushAsync();

    /// <summary>The client was told that it is accepted.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>The will, unless the client took leave [MQTT-3.14.4-3], or was never accepted.</summary>
    public PendingWill? WillLeft()
    {
        if (!IsAccepted)
            will?.Forget();
        return IsAccepted && !_hasTakenLeave ? will : null;
    }

    /// <summary>Handles one packet, when there is room for what may have to be remembered of it.</summary>
    /// <returns>Whether it was the last one.</returns>
    public ValueTask<bool> HandleAsync(Frame frame) => parts.Journal.IsFull ? HandleLaterAsync(frame) : HandleNowAsync(frame);

    private async ValueTask<bool> HandleLaterAsync(Frame frame)
    {
        await parts.Journal.RoomAsync(closing);
        return await HandleNowAsync(frame);
    }

    private ValueTask<bool> HandleNowAsync(Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.Publish:
                return PublishAsync(PublishPacket.Read(frame, Terms.Version, _topics));
            case PacketType.PubRel:
                return ReleaseAsync(PublishAckPacket.Read(frame, Terms.Version));
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                var answer = PublishAckPacket.Read(frame, Terms.Version);
                lock (Session.Gate)
                    Session.Answered(answer);
                return ListenedToAsync();
            case PacketType.Subscribe:
                return SubscribeAsync(frame);
            case PacketType.Unsubscribe:
                return UnsubscribeAsync(frame);
            case PacketType.PingReq:
                PingPacket.Read(frame);
                return AnswerAsync(static (writer, _) => new PingPacket(PacketType.PingResp).Write(writer)); // [MQTT-3.12.4-1]
            case PacketType.Disconnect:
                Disconnect(DisconnectPacket.Read(frame, Terms.Version));
                return ValueTask.FromResult(true);
            default:
                throw ProtocolException.Error($"{frame.Type} from a client that is connected"); // [MQTT-3.1.0-2]
        }
    }

    // Apart from the packets of all kinds: what these two capture would be allocated for each of them.
    private ValueTask<bool> SubscribeAsync(Frame frame) => AnswerFirstAsync(frame, () =>
    {
        var subscribe = SubscribePacket.Read(frame, Terms.Version, parts.Limits.FiltersPerPacket);
        CheckAnswerFits(subscribe.Requests.Count);
        return _subscriptions.SubscribeAsync(Terms.IsBridge ? subscribe.OfBridge() : subscribe);
    });

    private ValueTask<bool> UnsubscribeAsync(Frame frame) => AnswerFirstAsync(frame, () =>
    {
        var unsubscribe = UnsubscribePacket.Read(frame, Terms.Version, parts.Limits.FiltersPerPacket);
        CheckAnswerFits(unsubscribe.Filters.Count);
        return _subscriptions.UnsubscribeAsync(unsubscribe);
    });

    // An answer that may not be sent [MQTT-3.1.2-24] is known to be one before anything is done.
    private void CheckAnswerFits(int filters)
    {
        if (SubAckPacket.SizeOf(filters) > Terms.MaximumPacketSize)
            throw new ProtocolException(ReasonCode.PacketTooLarge, $"the answer to {filters} filters is larger than the {Terms.MaximumPacketSize} bytes that the client takes");
    }

    private ValueTask<bool> PublishAsync(PublishPacket publish)
    {
        if (publish.Properties.Number(PropertyId.SubscriptionIdentifier) is not null)
            throw ProtocolException.Error("a subscription identifier from a client"); // [MQTT-3.3.4-6]
        if (publish.Payload.Length > parts.Limits.PayloadSize)
            throw new ProtocolException(ReasonCode.PacketTooLarge, $"a payload of {publish.Payload.Length} bytes, more than {parts.Limits.PayloadSize}");
        var topic = Session.TopicOf(publish);
        if (RefusalOf(publish, topic) is var refusal and not ReasonCode.Success)
            return RefuseAsync(publish, topic, refusal);
        if (publish.Qos == 0 && parts.Memory.IsFull && parts.Incoming.IsHeld(topic))
        {
            parts.Drops.Add(DropKind.NoMemory, Session.ClientId, 1); // There is no answer at QoS 0.
            return ValueTask.FromResult(false);
        }
        var message = _batch.Read(topic, publish, parts.Now());
        return TryTake(publish, message, out var incoming) ? FinishAsync(_batch.AddAsync(incoming)) : TakeLaterAsync(publish, message);
    }

    // Before 5.0 there is no Receive Maximum, there are clients of 5.0 that do not know it, and it does not count QoS 0: it is TCP that slows them down. Without that, all
    // others would wait behind what one client sends.
    private bool TryTake(in PublishPacket publish, Message message, out Incoming incoming)
    {
        lock (Session.Gate)
        {
            incoming = default;
            if (publish.Qos == 0 ? IsFullAtQos0 : !_isStrict && Session.Owed >= parts.Limits.ReceiveMaximum)
                return false;
            incoming = Session.Publish(publish, message, Received);
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
        if (!Session.Permissions.LetPublish(topic, Session.ClientId))
            return ReasonCode.NotAuthorized;
        // What comes again may be known already: then it was taken in.
        return publish.Qos > 0 && !publish.Dup && parts.Router.IsRefused(topic, publish.Retain, publish.Payload.Length) ? ReasonCode.QuotaExceeded : ReasonCode.Success;
    }

    // At QoS 0 and in 3.1.1 there is no answer that could say it: what the client may not publish is ignored, and acknowledged as if it were not; for other
    // reasons the connection is closed [MQTT-3.3.5-2] of 3.1.1.
    private async ValueTask<bool> RefuseAsync(PublishPacket publish, string topic, ReasonCode reason)
    {
        if (reason != ReasonCode.NotAuthorized && (publish.Qos == 0 || Terms.Version != ProtocolVersion.V5))
            throw new ProtocolException(reason, $"a message to '{topic}' that is refused");
        parts.Refused(new Refusal(RefusalKind.Message, Session.ClientId, reason, topic));
        if (publish.Qos == 0)
            return false;
        await RoomAsync(1); // In its turn [MQTT-4.6.0-2], [MQTT-4.6.0-3].
        var type = publish.Qos == 1 ? PacketType.PubAck : PacketType.PubRec;
        return await AnswerAsync(new PublishAckPacket(type, publish.PacketId, reason).Write);
    }

    private ValueTask<bool> ReleaseAsync(PublishAckPacket release)
    {
        Incoming incoming;
        lock (Session.Gate)
            incoming = Session.Release(release.PacketId);
        var taking = _batch.AddAsync(incoming);
        return taking.IsCompletedSuccessfully ? ListenedToAsync() : FinishAsync(taking);
    }

    // A client that sends without listening waits, so that what is owed to it stays bounded.
    private ValueTask<bool> ListenedToAsync()
    {
        var limit = 2 * parts.Limits.ReceiveMaximum;
        return HasRoom(limit) ? ValueTask.FromResult(false) : WaitAsync(limit);

        async ValueTask<bool> WaitAsync(int limit)
        {
            await RoomAsync(limit);
            return false;
        }
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

    // Retained messages come after the answer, though they are queued, and committed where the session is kept, together with it.
    private async ValueTask<bool> AnswerFirstAsync(Frame frame, Func<Task<SubAckPacket>> work)
    {
        output.Hold();
        try
        {
            var answer = await (frame.Body.Length > LargeRequest ? InTurnAsync(work) : work());
            if (Session.IsKept)
                await parts.Journal.FlushAsync().WaitAsync(closing);
            return await AnswerAsync(answer.Write);
        }
        finally
        {
            output.GoOn();
        }
    }

    private async Task<SubAckPacket> InTurnAsync(Func<Task<SubAckPacket>> work)
    {
        await parts.LargeRequests.WaitAsync(closing);
        try
        {
            return await work();
        }
        finally
        {
            parts.LargeRequests.Release();
        }
    }

    private async ValueTask<bool> AnswerAsync(Action<PacketWriter, ProtocolVersion> write)
    {
        if (output.Add(writer => write(writer, Terms.Version)))
            return false;
        await output.RoomForAnswerAsync(); // A client that asks without listening.
        return false;
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
        lock (Session.Gate)
            return Session.Owed < limit && !IsFullAtQos0;
    }

    private bool IsFullAtQos0 => Session.UnsettledAtQos0 >= parts.Limits.ReceiveMaximum;

    private void Disconnect(DisconnectPacket disconnect)
    {
        if (disconnect.Properties.Number(PropertyId.SessionExpiryInterval) is { } expiry)
        {
            if (expiry > 0 && Terms.SessionExpiry == 0)
                throw ProtocolException.Error("a session that is to outlive its connection after all"); // [MQTT-5.0, 3.14.2.2.2]
            Terms.SetSessionExpiry(expiry);
        }
        _hasTakenLeave = disconnect.Reason == ReasonCode.Success;
        if (_hasTakenLeave)
            will?.Forget(); // [MQTT-3.1.2-10]
    }
}
