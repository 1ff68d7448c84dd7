using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;

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

    // Throws, so that it is said why.
    private static bool RequireTrust(X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var problems = chain?.ChainStatus.Select(s => s.StatusInformation.Trim().TrimEnd('.')) ?? [];
        throw new AuthenticationException(string.Join("; ", problems.Prepend(errors.ToString())));
    }
}
