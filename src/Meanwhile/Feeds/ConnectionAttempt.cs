using System.Net.Sockets;
using System.Security.Authentication;
using Meanwhile.Logging;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.LowLevelClient;
using MQTTnet.Packets;

namespace Meanwhile.Feeds;

/// <summary>From a TCP connection to CONNACK: MQTT 5.0, and 3.1.1 where the broker knows no better.</summary>
internal sealed class ConnectionAttempt(BrokerSettings settings, ILogger logger, TimeProvider time)
{
    // How many QoS 1 and 2 messages a 5.0 broker may have in flight towards us.
    private const ushort ReceiveMaximum = 1000;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private readonly MqttClientFactory _factory = new();
    private readonly ProtocolVersion _version = new(logger);
    private bool _hasConnected;

    /// <summary>Connects.</summary>
    /// <exception cref="BrokerException">Worth trying again.</exception>
    /// <exception cref="UserException">The broker refuses us, and will go on doing so.</exception>
    public async Task<(ILowLevelMqttClient Client, MqttConnAckPacket Accepted)> ConnectAsync(CancellationToken cancellationToken)
    {
        var client = _factory.CreateLowLevelMqttClient();
        try
        {
            var accepted = await HandshakeAsync(client, cancellationToken);
            BrokerFailure.Check(accepted.ReasonCode, settings, _version, _hasConnected);
            _hasConnected = true;
            Log.Connected(logger, settings.Address, settings.ClientId, _version.Name);
            return (client, accepted);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private async Task<MqttConnAckPacket> HandshakeAsync(ILowLevelMqttClient client, CancellationToken cancellationToken)
    {
        var options = settings.ToClientOptions(_version.Current, sessionExpiry: uint.MaxValue);
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var isOpen = false;
        try
        {
            await client.ConnectAsync(options, either.Token);
            isOpen = true;
            await client.SendAsync(ConnectPacket(options), either.Token);
            if (await client.ReceiveAsync(either.Token) is MqttConnAckPacket answer)
                return answer;
            cancellationToken.ThrowIfCancellationRequested();
            throw new MqttProtocolViolationException(timeout.IsCancellationRequested ? "it does not answer" : "it closed the connection without an answer");
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BrokerException("it does not answer", e);
        }
        catch (Exception e) when (BrokerFailure.IsCertificateProblem(e) && !_hasConnected)
        {
            throw BrokerFailure.Untrusted(settings, e);
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttProtocolViolationException or SocketException or IOException or AuthenticationException)
        {
            // A broker that knows 3.1.1 only may close the connection, or answer in 3.1.1's form, which is malformed in 5.0.
            if (isOpen && !_hasConnected)
                _version.FallBack();
            throw new BrokerException(BrokerFailure.Describe(e), e);
        }
    }

    private static MqttConnectPacket ConnectPacket(MqttClientOptions options) => new()
    {
        ClientId = options.ClientId,
        CleanSession = options.CleanSession,
        KeepAlivePeriod = (ushort)options.KeepAlivePeriod.TotalSeconds,
        SessionExpiryInterval = options.SessionExpiryInterval,
        ReceiveMaximum = ReceiveMaximum,
        Username = options.Credentials?.GetUserName(options),
        Password = options.Credentials?.GetPassword(options),
    };
}
