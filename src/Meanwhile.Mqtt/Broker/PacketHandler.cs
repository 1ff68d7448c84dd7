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

    private readonly PublishHandler _messages = new(session, terms, output, parts, closing);
    private readonly SubscriptionHandler _subscriptions = new(session, parts, closing, gone);
    private bool _hasTakenLeave;

    /// <summary>The session.</summary>
    public ClientSession Session { get; } = session;

    /// <summary>What was agreed on.</summary>
    public Terms Terms { get; } = terms;

    /// <summary>The longest silence that was agreed on.</summary>
    public required TimeSpan KeepAlive { get; init; }

    /// <summary>When the packets that are handled now were read.</summary>
    public DateTimeOffset Received
    {
        get => _messages.Received;
        set => _messages.Received = value;
    }

    /// <summary>Hands over what was handled: at the end of a read.</summary>
    public ValueTask FlushAsync() => _messages.FlushAsync();

    /// <summary>What was handled may have made something to send.</summary>
    public void WakeUp() => output.WakeUp();

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
                return _messages.PublishAsync(frame);
            case PacketType.PubRel:
                return _messages.ReleaseAsync(PublishAckPacket.Read(frame, Terms.Version));
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                var answer = PublishAckPacket.Read(frame, Terms.Version);
                lock (Session.Gate)
                    Session.Answered(answer);
                return _messages.ListenedToAsync();
            case PacketType.Subscribe:
                return SubscribeAsync(frame);
            case PacketType.Unsubscribe:
                return UnsubscribeAsync(frame);
            case PacketType.PingReq:
                PingPacket.Read(frame);
                return AnswerAsync(static writer => new PingPacket(PacketType.PingResp).Write(writer)); // [MQTT-3.12.4-1]
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

    // Retained messages come after the answer, though they are queued, and committed where the session is kept, together with it.
    private async ValueTask<bool> AnswerFirstAsync(Frame frame, Func<Task<SubAckPacket>> work)
    {
        output.Hold();
        try
        {
            var answer = await (frame.Body.Length > LargeRequest ? InTurnAsync(work) : work());
            if (Session.IsKept)
                await parts.Journal.FlushAsync().WaitAsync(closing);
            return await AnswerAsync(writer => answer.Write(writer, Terms.Version));
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

    private async ValueTask<bool> AnswerAsync(Action<PacketWriter> write)
    {
        await output.AnswerAsync(write);
        return false;
    }

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
