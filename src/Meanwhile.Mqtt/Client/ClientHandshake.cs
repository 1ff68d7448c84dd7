using System.IO.Pipelines;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>A connection that the server has accepted.</summary>
/// <param name="Stream">Its bytes.</param>
/// <param name="Input">Those that come: many packets to a read.</param>
/// <param name="Version">What is spoken.</param>
/// <param name="Answer">CONNACK.</param>
internal sealed record OpenConnection(Stream Stream, PipeReader Input, ProtocolVersion Version, ConnAckPacket Answer) : IAsyncDisposable
{
    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync();
        await Stream.DisposeAsync();
    }
}

/// <summary>From an address to CONNACK: MQTT 5.0, and 3.1.1 where the server knows no better.</summary>
internal sealed class ClientHandshake(ClientOptions options)
{
    private const int BodyOfOldConnAck = 2;
    private const int BufferSize = 64 * 1024;

    private readonly VersionChoice _version = new();
    private bool _hasConnected;

    /// <summary>Connects.</summary>
    /// <param name="clientId">Names the session; the server may have chosen it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="MqttClientException">Why it cannot.</exception>
    public async Task<OpenConnection> ConnectAsync(string clientId, CancellationToken cancellationToken)
    {
        try
        {
            return await ConnectAsync(clientId, options.Version ?? ProtocolVersion.V5, cancellationToken);
        }
        catch (MqttClientException e) when (options.Version is null && _version.FallsBack(e.Doubt))
        {
            return await ConnectAsync(clientId, ProtocolVersion.V311, cancellationToken);
        }
    }

    /// <summary>What the network, or the server, does to a connection.</summary>
    public static bool IsOfNetwork(Exception e) => e is IOException or SocketException or WebSocketException or AuthenticationException or ProtocolException;

    private async Task<OpenConnection> ConnectAsync(string clientId, ProtocolVersion version, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        Stream? stream = null;
        try
        {
            stream = await ServerStream.OpenAsync(options.Server, options.Tls, either.Token);
            var connect = Connect(clientId, version);
            await WriteAsync(stream, connect, either.Token);
            var input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferSize, leaveOpen: true));
            var answer = await ReadAsync(input, version, either.Token);
            Judge(answer, connect);
            _hasConnected = true;
            _version.Accepted(version);
            return new OpenConnection(stream, input, version, answer);
        }
        catch (Exception e)
        {
            var isOpen = stream is not null;
            if (stream is not null)
                await stream.DisposeAsync();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                throw new MqttClientException("it does not answer", e);
            if (!IsOfNetwork(e))
                throw;
            var mayBeOld = isOpen && version == ProtocolVersion.V5;
            var failure = MqttClientException.Of(e, mayBeOld ? VersionDoubt.Suspected : VersionDoubt.None);
            failure.IsFinal = !_hasConnected && IsOfCertificate(e);
            throw failure;
        }
    }

    private ConnectPacket Connect(string clientId, ProtocolVersion version)
    {
        var isKept = version == ProtocolVersion.V5 ? options.SessionExpiry > 0 : options.SessionExpiry == uint.MaxValue;
        var properties = new List<Property>();
        if (options.SessionExpiry > 0)
            properties.Add(new Property(PropertyId.SessionExpiryInterval, options.SessionExpiry));
        properties.Add(new Property(PropertyId.ReceiveMaximum, options.ReceiveMaximum)); // Without a word of it, some servers send no more than a few at once.
        if (options.MaximumPacketSize < Frame.LargestSize)
            properties.Add(new Property(PropertyId.MaximumPacketSize, (uint)options.MaximumPacketSize));
        if (options.TopicAliasMaximum > 0)
            properties.Add(new Property(PropertyId.TopicAliasMaximum, options.TopicAliasMaximum));
        properties.Add(new Property(PropertyId.RequestProblemInformation, 1));
        return new ConnectPacket
        {
            Version = version,
            ClientId = clientId,
            CleanStart = options.CleanStart && (!_hasConnected || !isKept),
            KeepAlive = (ushort)Math.Clamp(options.KeepAlive.TotalSeconds, 0, ushort.MaxValue),
            Will = options.Will,
            UserName = options.UserName,
            Password = options is { UserName: null, Password.IsEmpty: true } ? null : options.Password, // An array that is null looks like that.
            Properties = new Properties([.. properties]),
        };
    }

    private static async Task WriteAsync(Stream stream, ConnectPacket connect, CancellationToken cancellationToken)
    {
        using var writer = new PacketWriter();
        connect.Write(writer);
        await stream.WriteAsync(writer.Written, cancellationToken);
    }

    private async Task<ConnAckPacket> ReadAsync(PipeReader input, ProtocolVersion version, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (Frame.TryRead(ref buffer, options.MaximumPacketSize, version, out var frame))
            {
                if (frame.Type != PacketType.ConnAck)
                    throw new MqttClientException("it answers with something else than CONNACK") { Answer = ReasonCode.ProtocolError }; // [MQTT-3.2.0-1]
                if (version == ProtocolVersion.V5 && frame.Body.Length == BodyOfOldConnAck)
                    throw new MqttClientException("it answers in the form of MQTT 3.1.1") { Doubt = VersionDoubt.Proven };
                var answer = ConnAckPacket.Read(frame, version);
                input.AdvanceTo(buffer.Start);
                return answer;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
                throw new EndOfStreamException("the connection was closed");
        }
    }

    private void Judge(ConnAckPacket answer, ConnectPacket connect)
    {
        if (answer.Reason == ReasonCode.UnsupportedProtocolVersion)
            throw new MqttClientException("it does not speak this version of MQTT") { Reason = answer.Reason, Doubt = VersionDoubt.Proven };
        if (answer.SessionPresent && connect.CleanStart)
            throw ProtocolException.Error("it goes on with a session that was to begin anew"); // [MQTT-3.2.2-2]
        if (answer.Reason == ReasonCode.Success)
            return;
        var refusal = MqttClientException.Of("it refuses the connection", answer.Reason, answer.Properties);
        refusal.IsFinal = !_hasConnected && IsFinal(answer.Reason);
        throw refusal;
    }

    // Once it was accepted, a refusal will pass.
    private static bool IsFinal(ReasonCode reason) => reason is ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized or ReasonCode.ClientIdentifierNotValid
        or ReasonCode.Banned or ReasonCode.BadAuthenticationMethod or ReasonCode.ServerMoved;

    private static bool IsOfCertificate(Exception exception) =>
        exception is AuthenticationException || (exception.InnerException is { } inner && IsOfCertificate(inner));
}
