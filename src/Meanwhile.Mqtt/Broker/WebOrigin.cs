using System.Net;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Where a web page comes from, as browsers say it in <c>Origin</c>.</summary>
/// <param name="Scheme">Such as https.</param>
/// <param name="Host">A name or an address in small letters; empty for a file.</param>
/// <param name="Port">Also where it is the usual one; -1 for a scheme that has none.</param>
public sealed record WebOrigin(string Scheme, string Host, int Port)
{
    /// <summary>Reads one; null for anything else, also for <c>null</c>, which can be the origin of any page.</summary>
    public static WebOrigin? TryParse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && text.StartsWith($"{uri.Scheme}://", StringComparison.OrdinalIgnoreCase)
        && uri is { UserInfo: "", PathAndQuery: "/", Fragment: "" }
            ? new WebOrigin(uri.Scheme, uri.IdnHost, uri.Port)
            : null;

    /// <summary>
    /// Whether the host of a request is the machine itself. A page of a stranger's may have a name of its own that leads to this machine; but never one of these.
    /// </summary>
    public static bool IsThisMachine(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Whether two are of one host, at whatever port.</summary>
    internal bool IsOfHost(WebOrigin other) => Host == other.Host || (IsThisMachine(Host) && IsThisMachine(other.Host));
}
