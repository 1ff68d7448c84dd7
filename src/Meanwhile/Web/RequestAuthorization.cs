using System.Security.Cryptography;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>Checks who may read.</summary>
/// <param name="token">What readers have to show; null for nothing, on loopback.</param>
internal sealed class RequestAuthorization(byte[]? token)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _digest = token is null ? null : SHA256.HashData(token);

    /// <summary>Lets a request pass or not.</summary>
    /// <exception cref="ProblemException">It may not.</exception>
    public void Check(HttpContext context)
    {
        if (_digest is null)
        {
            // A page of a stranger's, in a browser on this machine, may have a name of its own that leads here: it shall not read what it finds.
            if (!WebOrigin.IsThisMachine(context.Request.Host.Host))
                throw new ProblemException(StatusCodes.Status403Forbidden, "the host is not this machine: expected localhost or a loopback address; with --http-token-file any name will do");
            return;
        }
        var shown = context.Request.Headers.Authorization.ToString();
        if (shown.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && IsToken(shown[Scheme.Length..].Trim()))
            return;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw new ProblemException(StatusCodes.Status401Unauthorized, "expected Authorization: Bearer and the token of --http-token-file");
    }

    // Digests are of one length, so that the time it takes tells nothing about the token.
    private bool IsToken(string text) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(text)), _digest);
}
