using Microsoft.AspNetCore.Http;

namespace Meanwhile.Mqtt.Broker;

/// <summary>
/// Which requests for a WebSocket may pass. A browser lets the page of any stranger connect to what its user can reach; but it says where that page comes from. Other
/// clients say nothing of it.
/// </summary>
/// <param name="allowed">Pages of other hosts that may connect as well.</param>
/// <param name="takesAnyHost">Requests may name any host; else it has to be this machine, or that of such a page.</param>
internal sealed class OriginCheck(IReadOnlyList<WebOrigin> allowed, bool takesAnyHost)
{
    private const string ForeignHost = "the host of the request is not this machine: expected localhost or a loopback address, or the host of an origin in --ws-origin; with --users any name will do";
    private const string ForeignPage = "web pages of other hosts may not connect: expected a page of the same host, or its origin in --ws-origin";

    /// <summary>What is wrong with a request, and what was expected; null where it may pass.</summary>
    public string? ProblemOf(HttpRequest request)
    {
        var host = WebOrigin.TryParse($"http://{request.Host}");
        if (!takesAnyHost && !(host is not null && (WebOrigin.IsThisMachine(host.Host) || allowed.Any(page => page.Host == host.Host))))
            return ForeignHost;
        if (request.Headers.Origin.Count == 0)
            return null;
        var page = WebOrigin.TryParse(request.Headers.Origin.ToString());
        return page is not null && (allowed.Contains(page) || (host is not null && page.IsOfHost(host))) ? null : ForeignPage;
    }
}
