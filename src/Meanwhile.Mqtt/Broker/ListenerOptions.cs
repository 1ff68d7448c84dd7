using System.Net;
using System.Net.Security;

namespace Meanwhile.Mqtt.Broker;

/// <summary>One address that clients connect to.</summary>
/// <param name="EndPoint">An address of this machine; port 0 takes a free one.</param>
public sealed record ListenerOptions(IPEndPoint EndPoint)
{
    /// <summary>Clients speak MQTT over WebSocket, at any path.</summary>
    public bool IsWebSocket { get; init; }

    /// <summary>The terms of TLS, certificates included, asked for at each connection, so that they can change; null for no TLS.</summary>
    public Func<SslServerAuthenticationOptions>? Tls { get; init; }

    /// <summary>
    /// Requests for a WebSocket may name any host. Else, at an address of loopback, only this machine or a host of <see cref="BrokerOptions.WebOrigins"/>: a page of a
    /// stranger's may have a name that leads here, and is then of the same host. For clients that have to prove who they are.
    /// </summary>
    public bool TakesAnyHost { get; init; }

    /// <summary>It is there for clients of the host's own process: logins there say so, and the host decides what that means.</summary>
    public bool IsInside { get; init; }
}
