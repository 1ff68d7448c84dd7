using System.CommandLine;
using System.Net;
using System.Text;
using Meanwhile.Web;

namespace Meanwhile.Settings;

/// <summary>Where dashboard, API, metrics and health are served.</summary>
internal static class HttpSettings
{
    private const int ShortestToken = 16;

    private static readonly Setting<IPEndPoint> Address = new(
        "--http", null, null, "ADDRESS:PORT", "serve dashboard, API, metrics and health there, for reading only", ParseAddress);

    private static readonly Setting<byte[]> TokenFile = new(
        "--http-token-file", null, null, "FILE", "file with the token that readers there have to show (Authorization: Bearer TOKEN)", ReadToken);

    /// <summary>How many series have metrics of their own.</summary>
    public static readonly Setting<int> MetricSeries = new(
        "--http-metric-series", null, "100", "NUMBER", "how many series have metrics of their own, also by OTLP; the others are counted", text => (int)CommonSettings.ParseWhole(text, 0, 10_000));

    /// <summary>All of them.</summary>
    public static IEnumerable<Option> Options { get; } = [Address.Option, TokenFile.Option, MetricSeries.Option];

    /// <summary>Reads them.</summary>
    /// <param name="byDefault">Where to listen unless something else is set, or at another port if that one is taken; null for nowhere.</param>
    /// <returns>Null when nothing is to be served.</returns>
    /// <exception cref="UserException">Whoever gets to that address could read everything.</exception>
    public static HttpOptions? Read(ParseResult commandLine, SettingSources sources, IPEndPoint? byDefault = null)
    {
        var (chosen, token) = (Address.Read(commandLine, sources), TokenFile.Read(commandLine, sources));
        if ((chosen ?? byDefault) is not { } address)
            return null;
        if (token is null && !IPAddress.IsLoopback(address.Address))
        {
            throw new UserException(
                $"--http: whoever reaches {address} could read everything there: expected a loopback address such as 127.0.0.1:8080, or --http-token-file", ExitCode.Usage);
        }
        return new HttpOptions(address, token) { AnyPortWillDo = chosen is null };
    }

    private static IPEndPoint ParseAddress(string text) =>
        IPEndPoint.TryParse(text, out var address) && text.EndsWith($":{address.Port}", StringComparison.Ordinal)
            ? address
            : throw new FormatException("ADDRESS:PORT with an IP address of this machine, such as 127.0.0.1:8080");

    private static byte[] ReadToken(string path)
    {
        var token = CommonSettings.ReadText(path).Trim();
        return token.Length >= ShortestToken && token.All(c => c is > ' ' and <= '~')
            ? Encoding.ASCII.GetBytes(token)
            : throw new FormatException($"a file with one line of {ShortestToken} or more ASCII characters without spaces, such as openssl rand -hex 32 writes");
    }
}
