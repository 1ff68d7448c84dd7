using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>From the first packet of a connection to CONNACK.</summary>
/// <param name="connection">The connection.</param>
/// <param name="visitor">What it counts as.</param>
/// <param name="peer">Its other end.</param>
/// <param name="parts">What all connections share.</param>
/// <param name="closing">Cancelled when the connection is being closed.</param>
internal sealed class Handshake(Connection connection, Visitor visitor, Peer peer, BrokerParts parts, CancellationToken closing)
{
    /// <summary>Handles the packets that follow; null as long as the client is not accepted.</summary>
    public PacketHandler? Packets { get; private set; }

    /// <summary>Who the client says it is; empty as long as it has not.</summary>
    public string ClientId { get; private set; } = "";

    private bool _isCurious;
    private uint _largestPacket = uint.MaxValue; // That the client takes.

    /// <summary>Answers the first packet.</summary>
    /// <returns>Whether the client was accepted.</returns>
    public async ValueTask<bool> AnswerAsync(Frame frame, ConnectionWriter output)
    {
        if (frame.Type != PacketType.Connect)
            throw ProtocolException.Error($"{frame.Type} before CONNECT"); // [MQTT-3.1.0-1]
        if (frame.IsCut)
            return await RefuseLongAsync(output, frame);
        if (Read(frame, out var fault) is not { } connect)
            return await RefuseAsync(output, fault!.Reason, ConnectPacket.FormOfRefusal(frame)!.Value, explanation: fault.Message);
        visitor.Judge(frame.Body.Length + connect.Size);
        _isCurious = connect.Properties.Number(PropertyId.RequestProblemInformation) == 1;
        _largestPacket = connect.Properties.Number(PropertyId.MaximumPacketSize) ?? uint.MaxValue;
        var clientId = connect.ClientId.Length > 0 ? connect.ClientId : $"auto-{Guid.NewGuid():N}"; // [MQTT-3.1.3-6]
        ClientId = clientId;
        if (Check(connect, clientId) is var reason and not ReasonCode.Success)
            return await RefuseAsync(output, reason, connect.Version);
        LoginAnswer answer;
        try
        {
            answer = await AuthenticateAsync(connect, clientId);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return await RefuseAsync(output, ReasonCode.ServerUnavailable, connect.Version, RefusalKind.Login, $"it could not be checked ({e.GetType().Name}: {e.Message})");
        }
        if (answer.Permissions is not { } permissions)
            return await RefuseAsync(output, answer.Reason, connect.Version, RefusalKind.Login, answer.Explanation);
        if (connect.Will is { } will && !permissions.LetPublish(will.Topic, clientId))
            return await RefuseAsync(output, ReasonCode.NotAuthorized, connect.Version, explanation: $"its will is for '{will.Topic}'");
        if (connect.Will is { } large && !parts.Sessions.HasRoomFor(large))
            return await RefuseAsync(output, ReasonCode.QuotaExceeded, connect.Version, explanation: $"its will takes {large.Size} bytes, and all wills together take as much memory as they may");
        using var time = new CancellationTokenSource(parts.Limits.ConnectTimeout, parts.Time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(time.Token, closing);
        try
        {
            return await AcceptAsync(connect, clientId, permissions, answer.User, output, patience.Token);
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested && !closing.IsCancellationRequested)
        {
            return await RefuseAsync(output, ReasonCode.ServerUnavailable, connect.Version, explanation: "its session could not be opened in time: nothing can be stored for the moment");
        }
    }

    // Before 5.0 there are no words for it: then the connection is closed [MQTT-3.2.2-6] of 3.1.1.
    private ValueTask<bool> RefuseLongAsync(ConnectionWriter output, Frame frame)
    {
        var problem = $"CONNECT is longer than {BrokerLimits.ConnectSize} bytes";
        return ConnectPacket.FormOfRefusal(frame) is { } version
            ? RefuseAsync(output, ReasonCode.PacketTooLarge, version, explanation: problem)
            : throw new ProtocolException(ReasonCode.PacketTooLarge, problem);
    }

    // Where there are no words for what is wrong, the connection is closed.
    private static ConnectPacket? Read(Frame frame, out ProtocolException? fault)
    {
        fault = null;
        try
        {
            return ConnectPacket.Read(frame);
        }
        catch (ProtocolException e) when (ConnectPacket.FormOfRefusal(frame) is not null)
        {
            fault = e;
            return null;
        }
    }

    private ReasonCode Check(ConnectPacket connect, string clientId)
    {
        if (connect.ClientId.Length == 0 && (connect.Version == ProtocolVersion.V31 || (connect.Version == ProtocolVersion.V311 && !connect.CleanStart)))
            return ReasonCode.ClientIdentifierNotValid; // [MQTT-3.1.3-8] of 3.1.1; in 3.1 there has to be one
        if (connect.ClientId.Length > parts.Limits.ClientIdLength)
            return ReasonCode.ClientIdentifierNotValid; // [MQTT-3.1.3-5]: 23 are enough, and in 3.1 the most that there may be; longer ones do no harm
        if (connect.Properties.Text(PropertyId.AuthenticationMethod) is not null)
            return ReasonCode.BadAuthenticationMethod; // [MQTT-4.12.0-1]
        if (connect.Will is { } will && !parts.Limits.Allows(will.Topic))
            return ReasonCode.TopicNameInvalid;
        if (connect.Will?.Payload.Length > parts.Limits.PayloadSize)
            return ReasonCode.PacketTooLarge;
        return parts.Sessions.HasRoomFor(clientId, parts.Memory) ? ReasonCode.Success : ReasonCode.QuotaExceeded;
    }

    // A password may have to wait for others: not for a client that has gone.
    private async ValueTask<LoginAnswer> AuthenticateAsync(ConnectPacket connect, string clientId)
    {
        if (parts.Authenticate is not { } authenticate)
            return LoginAnswer.Accept(Permissions.All);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(closing, peer.Gone);
        return await authenticate(new Login(clientId, connect.UserName, connect.Password, peer), leaving.Token);
    }

    private async ValueTask<bool> AcceptAsync(ConnectPacket connect, string clientId, Permissions permissions, string? user, ConnectionWriter output, CancellationToken patience)
    {
        var terms = new Terms(connect, parts.Limits.ReceiveMaximum, (uint)parts.Limits.SessionExpiry.TotalSeconds);
        var properties = PropertiesFor(connect, clientId, terms);
        if (SizeOf(new ConnAckPacket(SessionPresent: false, ReasonCode.Success, properties), connect.Version) > terms.MaximumPacketSize)
            throw new ProtocolException(ReasonCode.PacketTooLarge, $"CONNACK is larger than the {terms.MaximumPacketSize} bytes that the client takes"); // [MQTT-3.1.2-24]
        await parts.Journal.RoomAsync(patience);
        var opened = await parts.Sessions.OpenAsync(connection, connect, clientId, user, parts.Now, patience);
        if (opened.Owner is { } owner)
            return await RefuseAsync(output, ReasonCode.NotAuthorized, connect.Version, RefusalKind.Session, $"its session belongs to {NameOf(owner)}, not to {NameOf(user)} from {peer.Address}");
        var session = opened.Session;
        var will = connect.Will is { } left ? parts.Sessions.Keep(session, left, permissions) : null;
        Packets = new PacketHandler(session, terms, will, output, parts, closing, peer.Gone) { KeepAlive = KeepAliveOf(connect) };
        IdChange change;
        lock (session.Gate)
        {
            session.Permissions = permissions;
            session.WakeUp = output.WakeUp;
            session.Overflowed = () => connection.Close(ReasonCode.QuotaExceeded, "it does not take its messages in time");
            change = session.Connected(terms, opened.IsPresent);
        }
        if (opened.IsPresent)
            parts.Router.Returned(session);
        if (!opened.IsPresent)
            await Forget(clientId, change, mustWait: opened.Earlier is not null).WaitAsync(patience);
        if (session.IsKept || opened.Earlier is not null || will is not null)
            await parts.Journal.FlushAsync().WaitAsync(patience);
        Packets.IsAccepted = true;
        output.Add(writer => new ConnAckPacket(opened.IsPresent, ReasonCode.Success, properties).Write(writer, connect.Version)); // [MQTT-3.2.2-2]
        return true;
    }

    // The host forgets an earlier session's identifiers before the client hears of the new one: after a crash, old identifiers would make duplicates of
    // new messages.
    private Task Forget(string clientId, IdChange change, bool mustWait)
    {
        var completed = mustWait ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
        return parts.Sessions.HandOver(new Incoming { Kind = IncomingKind.SessionChange, ClientId = clientId, IdChange = change, Completed = completed });
    }

    private static string NameOf(string? user) => user is { Length: > 0 } ? $"user '{user}'" : "a client without a name";

    private static int SizeOf(ConnAckPacket packet, ProtocolVersion version)
    {
        using var writer = new PacketWriter();
        packet.Write(writer, version);
        return writer.Length;
    }

    private TimeSpan KeepAliveOf(ConnectPacket connect)
    {
        if (connect.KeepAlive == 0 && connect.Version != ProtocolVersion.V5)
            return TimeSpan.FromDays(1000); // It cannot be told to show signs of life.
        var asked = TimeSpan.FromSeconds(connect.KeepAlive);
        return connect.KeepAlive == 0 || (asked > parts.Limits.KeepAlive && connect.Version == ProtocolVersion.V5) ? parts.Limits.KeepAlive : asked;
    }

    private Properties PropertiesFor(ConnectPacket connect, string clientId, Terms terms)
    {
        if (connect.Version != ProtocolVersion.V5)
            return default;
        List<Property> items =
        [
            new(PropertyId.ReceiveMaximum, (uint)parts.Limits.ReceiveMaximum),
            new(PropertyId.MaximumPacketSize, (uint)parts.Limits.PacketSize),
            new(PropertyId.TopicAliasMaximum, (uint)parts.Limits.TopicAliasMaximum),
        ];
        if (connect.Properties.Number(PropertyId.SessionExpiryInterval) > terms.SessionExpiry)
            items.Add(new Property(PropertyId.SessionExpiryInterval, terms.SessionExpiry)); // [MQTT-5.0, 3.2.2.3.2]
        if (connect.ClientId.Length == 0)
            items.Add(new Property(PropertyId.AssignedClientIdentifier, Text: clientId)); // [MQTT-3.2.2-16]
        if (KeepAliveOf(connect) is var keepAlive && keepAlive != TimeSpan.FromSeconds(connect.KeepAlive))
            items.Add(new Property(PropertyId.ServerKeepAlive, (uint)keepAlive.TotalSeconds)); // [MQTT-3.2.2-21]
        return new Properties([.. items]);
    }

    private async ValueTask<bool> RefuseAsync(ConnectionWriter output, ReasonCode reason, ProtocolVersion version, RefusalKind kind = RefusalKind.Connection, string explanation = "")
    {
        parts.Refused(new Refusal(kind, ClientId, reason, explanation));
        var bare = new ConnAckPacket(SessionPresent: false, reason); // [MQTT-3.2.2-6]
        var inWords = bare with { Properties = _isCurious && kind == RefusalKind.Connection ? DisconnectPacket.Why(explanation) : default }; // Whoever fails to log in is not told why, nor who owns a session.
        var refusal = SizeOf(inWords, version) <= _largestPacket ? inWords : bare; // [MQTT-3.2.2-19]
        if (SizeOf(refusal, version) <= _largestPacket) // [MQTT-3.1.2-24]
            output.Add(writer => refusal.Write(writer, version));
        await output.FlushAsync(closing);
        return false;
    }
}
