using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>Where a broker is and who we are to it.</summary>
/// <param name="Address">The broker.</param>
/// <param name="ClientId">Fixed, so that the broker keeps our session while we are away.</param>
/// <param name="UserName">Null for none.</param>
/// <param name="Password">Null for none.</param>
internal sealed record BrokerSettings(BrokerAddress Address, string ClientId, string? UserName, byte[]? Password)
{
    /// <summary>How often the connection shows a sign of life.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    /// <summary>What the broker publishes, retained, when the connection ends without a farewell; null for nothing.</summary>
    public (string Topic, byte[] Payload)? Will { get; init; }

    // MQTTnet asks for 8 KiB socket buffers unless told otherwise, with which a fast sender falls into TCP's persist timer.
    private const int SocketBuffer = 1 << 20;

    /// <summary>Options for a client in a session of its own, which ends with its connection.</summary>
    public ClientOptions ToOptions(TimeProvider time) => new()
    {
        Server = new Uri(Address.ToString()),
        Tls = Address.IsSecure ? new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, chain, errors) => RequireTrust(chain, errors) } : null,
        ClientId = ClientId,
        UserName = UserName,
        Password = Password is null ? null : (ReadOnlyMemory<byte>?)Password,
        Will = Will is { } will ? new Will(will.Topic, will.Payload, Qos: 1, Retain: true, default) : null,
        KeepAlive = KeepAlive,
        Time = time,
    };

    /// <summary>Options for MQTTnet's clients.</summary>
    /// <param name="version">MQTT 5.0, or 3.1.1 where the broker knows no better.</param>
    /// <param name="sessionExpiry">Seconds for which the broker keeps the session after we left; 0 for a session that ends with the connection.</param>
    public MqttClientOptions ToClientOptions(MqttProtocolVersion version, uint sessionExpiry)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(version)
            .WithClientId(ClientId)
            .WithCleanStart(sessionExpiry == 0)
            .WithKeepAlivePeriod(KeepAlive)
            .WithTimeout(TimeSpan.FromSeconds(10));
        if (version == MqttProtocolVersion.V500)
            builder.WithSessionExpiryInterval(sessionExpiry);
        if (UserName is not null)
            builder.WithCredentials(UserName, Password);
        if (Will is { } will)
            builder.WithWillTopic(will.Topic).WithWillPayload(will.Payload).WithWillRetain().WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        if (Address.IsWebSocket)
        {
            builder.WithWebSocketServer(o => o.WithUri(Address.WebSocketUri).WithSubProtocols(["mqtt"]));
        }
        else
        {
            builder.WithTcpServer(Address.Host, Address.Port);
            builder.WithTcpServer(o => o.BufferSize = SocketBuffer);
        }
        if (Address.IsSecure)
        {
            builder.WithTlsOptions(o => o.UseTls().WithTargetHost(Address.Host)
                .WithRevocationMode(X509RevocationMode.NoCheck) // As other MQTT clients: authorities of one's own seldom publish revocations.
                .WithCertificateValidationHandler(certificate => RequireTrust(certificate.Chain, certificate.SslPolicyErrors)));
        }
        return builder.Build();
    }

    // Throws, so that it is said why.
    private static bool RequireTrust(X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var problems = chain?.ChainStatus.Select(s => s.StatusInformation.Trim().TrimEnd('.')) ?? [];
        throw new AuthenticationException(string.Join("; ", problems.Prepend(errors.ToString())));
    }
}
