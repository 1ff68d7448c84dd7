using System.Net;
using System.Security.Cryptography.X509Certificates;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Who wants to connect.</summary>
/// <param name="ClientId">The client identifier.</param>
/// <param name="UserName">The user name; null for none.</param>
/// <param name="Password">The password; null for none.</param>
/// <param name="Peer">What the connection tells.</param>
public sealed record Login(string ClientId, string? UserName, ReadOnlyMemory<byte>? Password, Peer Peer);

/// <summary>The other end of a connection.</summary>
/// <param name="Address">Where it is; null where that is not known.</param>
/// <param name="Certificate">The certificate of the client, checked; null for none.</param>
public readonly record struct Peer(IPAddress? Address, X509Certificate2? Certificate)
{
    /// <summary>It has come to a listener that is there for clients of the host's own process.</summary>
    public bool IsInside { get; init; }

    /// <summary>Cancelled when it sends nothing any more: its connection, or its half of it, is closed.</summary>
    internal CancellationToken Gone { get; init; }
}

/// <summary>The answer to a login.</summary>
public sealed record LoginAnswer
{
    private LoginAnswer(Permissions? permissions, string? user, ReasonCode reason, string explanation) =>
        (Permissions, User, Reason, Explanation) = (permissions, user, reason, explanation);

    internal Permissions? Permissions { get; }

    internal string? User { get; }

    internal ReasonCode Reason { get; }

    internal string Explanation { get; }

    /// <summary>Lets the client in.</summary>
    /// <param name="permissions">What it may do.</param>
    /// <param name="user">
    /// The user who owns the session: no other user can connect with its client identifier as long as the session exists. Empty for a client without a name. Null where nobody has to
    /// say who it is: then the next user who connects owns the session.
    /// </param>
    public static LoginAnswer Accept(Permissions permissions, string? user = null) => new(permissions, user, ReasonCode.Success, "");

    /// <summary>Sends it away.</summary>
    /// <param name="reason">What it is told.</param>
    /// <param name="explanation">What the host's own log is told.</param>
    public static LoginAnswer Refuse(ReasonCode reason, string explanation) => new(permissions: null, user: null, reason, explanation);
}
