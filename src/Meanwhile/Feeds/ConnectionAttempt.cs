using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace Meanwhile.Feeds;

/// <summary>From a TCP connection to CONNACK: MQTT 5.0, and 3.1.1 where the broker knows no better.</summary>
internal sealed class ConnectionAttempt(BrokerSettings settings, ConnectionLog log, ILogger logger, TimeProvider time)
{
    private const int ShortestConnAck5 = 5; // Flags, reason and the length of the properties, after two bytes of header.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private readonly ProtocolVersion _version = new(logger);
    private bool _hasConnected;

    /// <summary>Connects.</summary>
    /// <exception cref="BrokerException">Worth trying again.</exception>
    /// <exception cref="UserException">The broker refuses us, and will go on doing so.</exception>
    public async Task<(PacketChannel Channel, MqttConnAckPacket Accepted)> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ConnectAsync(MqttProtocolVersion.V500, cancellationToken);
        }
        catch (BrokerException e) when (_version.FallsBack(e.Doubt))
        {
            return await ConnectAsync(MqttProtocolVersion.V311, cancellationToken);
        }
    }

    private async Task<(PacketChannel Channel, MqttConnAckPacket Accepted)> ConnectAsync(MqttProtocolVersion version, CancellationToken cancellationToken)
    {
        var options = settings.ToClientOptions(version, sessionExpiry: uint.MaxValue);
        var channel = new PacketChannel(options, time);
        try
        {
            var accepted = await HandshakeAsync(channel, options, cancellationToken);
            if (version == MqttProtocolVersion.V500 && channel.PacketLength < ShortestConnAck5)
                throw new BrokerException("it answers in the form of MQTT 3.1.1") { Doubt = VersionDoubt.Proven };
            BrokerFailure.Check(accepted.ReasonCode, settings, _hasConnected);
            _hasConnected = true;
            _version.Accepted(version);
            log.Connected(ProtocolVersion.NameOf(version));
            return (channel, accepted);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    private async Task<MqttConnAckPacket> HandshakeAsync(PacketChannel channel, MqttClientOptions options, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var isOpen = false;
        try
        {
            await channel.ConnectAsync(either.Token);
            isOpen = true;
            channel.Write(ConnectPacket(options));
            await channel.FlushAsync(either.Token);
            return await channel.ReceiveAsync(either.Token) as MqttConnAckPacket ?? throw new BrokerException("it answers with something else than CONNACK");
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BrokerException("it does not answer", e);
        }
        catch (Exception e) when (BrokerFailure.IsCertificateProblem(e) && !_hasConnected)
        {
            throw BrokerFailure.Untrusted(settings, e);
        }
        catch (Exception e) when (e is not (OperationCanceledException or UserException))
        {
            throw new BrokerException(BrokerFailure.Describe(e), e) { Doubt = isOpen ? VersionDoubt.Suspected : VersionDoubt.None };
        }
    }

    private static MqttConnectPacket ConnectPacket(MqttClientOptions options) => new()
    {
        ClientId = options.ClientId,
        CleanSession = options.CleanSession,
        KeepAlivePeriod = (ushort)options.KeepAlivePeriod.TotalSeconds,
        SessionExpiryInterval = options.SessionExpiryInterval,
        ReceiveMaximum = FeedSession.ReceiveMaximum,
        Username = options.Credentials?.GetUserName(options),
        Password = options.Credentials?.GetPassword(options),
    };
}
