using System.Net;
using Meanwhile.Mqtt.Broker;

namespace Meanwhile.Feeds;

/// <summary>How the embedded broker is to be.</summary>
/// <param name="Listeners">Where it listens; at least one.</param>
internal sealed record EmbeddedOptions(IReadOnlyList<ListenAddress> Listeners)
{
    /// <summary>Clients without a name are let in, also where others than this machine's users reach it.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>The file of users, as <c>meanwhile passwd</c> makes it; null for none.</summary>
    public string? UserFile { get; init; }

    /// <summary>The file that says who may do what; null for none.</summary>
    public string? AccessFile { get; init; }

    /// <summary>The certificate and its key, in PEM; and perhaps the authorities of clients, which then have to show a certificate. Empty without TLS.</summary>
    public IReadOnlyList<string> TlsFiles { get; init; } = [];

    /// <summary>Proxies that say for whom they connect, as they have to.</summary>
    public IReadOnlyList<IPNetwork> Proxies { get; init; } = [];

    /// <summary>Web pages that may connect, beside those of the host that the browser has asked for.</summary>
    public IReadOnlyList<WebOrigin> WebOrigins { get; init; } = [];

    /// <summary>What clients may take up.</summary>
    public BrokerLimits Limits { get; init; } = new();

    /// <summary>How often it says how it is, below $SYS; null for never.</summary>
    public TimeSpan? StatusInterval { get; init; }

    /// <summary>For clients of this process; null for none.</summary>
    public InsideLogin? Inside { get; init; }

    /// <summary>Listeners with TLS ask clients for a certificate.</summary>
    public bool AsksForCertificates => TlsFiles.Count > 2;

    /// <summary>Whether clients have to say and to prove who they are.</summary>
    public bool Asks(ListenAddress listener) => UserFile is not null || (listener.IsSecure && AsksForCertificates);
}
