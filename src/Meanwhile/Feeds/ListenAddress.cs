using System.Net;

namespace Meanwhile.Feeds;

/// <summary>Where the embedded broker listens, and how clients speak to it there.</summary>
/// <param name="Scheme">mqtt, mqtts, ws or wss.</param>
/// <param name="EndPoint">An address of this machine; port 0 takes a free one.</param>
internal sealed record ListenAddress(string Scheme, IPEndPoint EndPoint)
{
    private const string Plain = "mqtt";

    /// <summary>MQTT without TLS.</summary>
    public ListenAddress(IPEndPoint endPoint)
        : this(Plain, endPoint)
    {
    }

    /// <summary>TLS.</summary>
    public bool IsSecure => Scheme is "mqtts" or "wss";

    /// <summary>MQTT over WebSocket.</summary>
    public bool IsWebSocket => Scheme is "ws" or "wss";

    /// <summary>Others than this machine's users reach it.</summary>
    public bool IsOpen => !IPAddress.IsLoopback(EndPoint.Address);

    /// <summary>Reads addresses with commas between them.</summary>
    /// <exception cref="FormatException">One cannot be understood.</exception>
    public static IReadOnlyList<ListenAddress> ParseList(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(Parse)];

    /// <inheritdoc/>
    public override string ToString() => Scheme == Plain ? EndPoint.ToString() : $"{Scheme}://{EndPoint}";

    private static ListenAddress Parse(string text)
    {
        var separator = text.IndexOf("://", StringComparison.Ordinal);
        var scheme = separator < 0 ? Plain : text[..separator];
        var rest = separator < 0 ? text : text[(separator + 3)..].TrimEnd('/');
        return scheme is Plain or "mqtts" or "ws" or "wss" && IPEndPoint.TryParse(rest, out var endPoint) && rest.EndsWith($":{endPoint.Port}", StringComparison.Ordinal)
            ? new ListenAddress(scheme, endPoint)
            : throw new FormatException("ADDRESS:PORT with an IP address of this machine, such as 127.0.0.1:1883, or mqtt://, mqtts://, ws:// or wss:// and that; several with commas between them");
    }
}
