using System.Security.Cryptography.X509Certificates;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Who wants to connect.</summary>
/// <param name="ClientId">The client identifier.</param>
/// <param name="UserName">The user name; null for none.</param>
/// <param name="Password">The password; null for none.</param>
/// <param name="Certificate">The certificate of the client, checked; null for none.</param>
public sealed record Login(string ClientId, string? UserName, ReadOnlyMemory<byte>? Password, X509Certificate2? Certificate);

/// <summary>What a client may do.</summary>
/// <param name="MayPublish">Whether it may publish to a topic.</param>
/// <param name="MaySubscribe">Whether it may subscribe to a filter.</param>
public sealed record Permissions(Func<string, bool> MayPublish, Func<string, bool> MaySubscribe)
{
    internal static Permissions All { get; } = new(static _ => true, static _ => true);
}
