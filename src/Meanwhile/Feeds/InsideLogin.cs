using System.Net;
using System.Security.Cryptography;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Feeds;

/// <summary>How a client of this process gets into its own broker, whatever its users and certificates: by a secret that nobody else knows. It may do everything.</summary>
internal sealed class InsideLogin
{
    private const string UserName = "inside";
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    /// <summary>Answers a login.</summary>
    public LoginAnswer Answer(Login login) => login.Password is { } password && CryptographicOperations.FixedTimeEquals(password.Span, _secret)
        ? LoginAnswer.Accept(new Permissions(static _ => true, static _ => true))
        : LoginAnswer.Refuse(ReasonCode.NotAuthorized, "this listener is for the program itself");

    /// <summary>What such a client connects with.</summary>
    public BrokerSettings SettingsFor(IPEndPoint endPoint, string clientId) => new(new BrokerAddress("mqtt", endPoint.Address.ToString(), endPoint.Port, ""), clientId, UserName, _secret);
}
