using System.Net;

namespace Meanwhile.Web;

/// <summary>Where and to whom API, metrics and health are served.</summary>
/// <param name="Address">An address of this machine; port 0 takes a free one.</param>
/// <param name="Token">What readers have to show; null for nothing, on loopback.</param>
internal sealed record HttpOptions(IPEndPoint Address, byte[]? Token)
{
    /// <summary>Nobody has chosen the port: when it is taken, another one will do.</summary>
    public bool AnyPortWillDo { get; init; }
}
