using System.Net;
using System.Security.Cryptography;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Feeds;

/// <summary>
/// How a client of this process gets into its own broker, whatever its users and certificates: by a secret that nobody else knows. It may do everything. Nobody can
/// guess its client identifier, and connect with it first.
/// </summary>
internal sealed class InsideLogin
{
    private const string UserName = "inside";
    private const string Owner = "\u0001inside"; // No user can have this name.

    private static readonly Permissions Everything = new(static _ => true, static _ => true);

    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    /// <summary>Answers a login.</summary>
    public LoginAnswer Answer(Login login) => login.Password is { } password && CryptographicOperations.FixedTimeEquals(password.Span, _secret)
        ? LoginAnswer.Accept(Everything, Owner)
        : LoginAnswer.Refuse(ReasonCode.NotAuthorized, "this listener is for the program itself");

    /// <summary>What such a client of an earlier process may do; null for other clients.</summary>
    public static Permissions? PermissionsOf(string? user) => user == Owner ? Everything : null;

    /// <summary>What such a client connects with.</summary>
    /// <param name="endPoint">Where the broker listens for it.</param>
    /// <param name="name">What its client identifier begins with.</param>
    public BrokerSettings SettingsFor(IPEndPoint endPoint, string name) =>
        new(new BrokerAddress("mqtt", endPoint.Address.ToString(), endPoint.Port, ""), $"{name}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}", UserName, _secret);
}
