using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Meanwhile.Mqtt.Broker;

/// <summary>One address that clients connect to.</summary>
/// <param name="EndPoint">An address of this machine; port 0 takes a free one.</param>
public sealed record ListenerOptions(IPEndPoint EndPoint)
{
    /// <summary>Clients speak MQTT over WebSocket, at any path.</summary>
    public bool IsWebSocket { get; init; }

    /// <summary>The certificate for TLS, asked for at each connection, so that it can change; null for no TLS.</summary>
    public Func<X509Certificate2>? Certificate { get; init; }

    /// <summary>Decides about the certificate that a client has to show; null when it needs none.</summary>
    public Func<X509Certificate2, bool>? ClientCertificate { get; init; }
}
