using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>From a TCP connection to CONNACK: MQTT 5.0, and 3.1.1 where the broker knows no better.</summary>
/// <param name="settings">Which broker, and who we are.</param>
/// <param name="isViewer">The session is new at first and lasts only minutes longer than a connection; in 3.1.1, where it would last for ever, not at all.</param>
/// <param name="log">For connections.</param>
/// <param name="logger">For the version.</param>
/// <param name="time">For the time-out.</param>
internal sealed class ConnectionAttempt(BrokerSettings settings, bool isViewer, ConnectionLog log, ILogger logger, TimeProvider time)
{
    private const int ShortestConnAck5 = 5; // Flags, reason and the length of the properties, after two bytes of header.
    private const uint ViewersExpiry = 5 * 60; // Seconds.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private readonly ProtocolVersion _version = new(logger);
    private readonly WrongPort _wrongPort = new(settings.Address, time);
    private bool _hasConnected;

    /// <summary>Connects.</summary>
    /// <exception cref="BrokerException">Worth trying again.</exception>
    /// <exception cref="UserException">The broker refuses us, and will go on doing so.</exception>
    public async Task<(PacketChannel Channel, MqttConnAckPacket Accepted)> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ConnectInEitherVersionAsync(cancellationToken);
        }
        catch (Exception e) when (!_hasConnected && BrokerFailure.MayBeWrongPort(e))
        {
            await _wrongPort.CheckAsync(BrokerFailure.IsClosed(e), cancellationToken);
            throw;
        }
    }

    private async Task<(PacketChannel Channel, MqttConnAckPacket Accepted)> ConnectInEitherVersionAsync(CancellationToken cancellationToken)
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
        var options = settings.ToClientOptions(version, isViewer ? ViewersExpiry : uint.MaxValue);
        var channel = new PacketChannel(options, time);
        try
        {
            var accepted = await HandshakeAsync(channel, options, cancellationToken);
            if (version == MqttProtocolVersion.V500 && channel.PacketLength < ShortestConnAck5)
                throw new BrokerException("it answers in the form of MQTT 3.1.1") { Doubt = VersionDoubt.Proven };
            BrokerFailure.Check(accepted.ReasonCode, accepted.ReasonString, settings, _hasConnected);
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
            return await channel.ReceiveAsync(either.Token) as MqttConnAckPacket
                ?? throw new BrokerException("it answers with something else than CONNACK") { Answer = MqttDisconnectReasonCode.ProtocolError };
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
            var mayBeOld = isOpen && options.ProtocolVersion == MqttProtocolVersion.V500 && e is not BrokerException { Answer: not null };
            throw new BrokerException(BrokerFailure.Describe(e), e) { Doubt = mayBeOld ? VersionDoubt.Suspected : VersionDoubt.None };
        }
    }

    private MqttConnectPacket ConnectPacket(MqttClientOptions options) => new()
    {
        ClientId = options.ClientId,
        CleanSession = isViewer && (!_hasConnected || options.ProtocolVersion == MqttProtocolVersion.V311),
        KeepAlivePeriod = (ushort)options.KeepAlivePeriod.TotalSeconds,
        SessionExpiryInterval = options.SessionExpiryInterval,
        ReceiveMaximum = FeedSession.ReceiveMaximum,
        Username = options.Credentials?.GetUserName(options),
        Password = options.Credentials?.GetPassword(options),
    };
}
