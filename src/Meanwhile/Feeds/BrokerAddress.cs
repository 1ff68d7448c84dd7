using System.Globalization;
using System.Net;

namespace Meanwhile.Feeds;

/// <summary>A broker's address as the setting <c>BROKER</c> gives it.</summary>
/// <param name="Scheme">mqtt, mqtts, ws, wss or embedded.</param>
/// <param name="Host">A name or an IP address.</param>
/// <param name="Port">1 to 65535; for the embedded broker also 0, a free one.</param>
/// <param name="Path">Of a WebSocket, starting with /; empty elsewhere.</param>
internal sealed record BrokerAddress(string Scheme, string Host, int Port, string Path)
{
    private const string Embedded = "embedded";

    private const string Expected =
        "a host, host:port, mqtt://, mqtts://, ws:// or wss:// with a host, or embedded, or embedded://ADDRESS:PORT";

    private static readonly Dictionary<string, int> DefaultPorts =
        new(StringComparer.Ordinal) { ["mqtt"] = 1883, ["mqtts"] = 8883, ["ws"] = 80, ["wss"] = 443, [Embedded] = 1883 };

    /// <summary>The built-in broker, in this process.</summary>
    public bool IsEmbedded => Scheme == Embedded;

    /// <summary>TLS.</summary>
    public bool IsSecure => Scheme is "mqtts" or "wss";

    /// <summary>MQTT over WebSocket.</summary>
    public bool IsWebSocket => Scheme is "ws" or "wss";

    /// <summary>The address of the WebSocket.</summary>
    public string WebSocketUri => $"{Scheme}://{HostAndPort}{Path}";

    /// <summary>Where the embedded broker listens.</summary>
    public IPEndPoint EndPoint => new(IPAddress.Parse(Host), Port);

    private string HostAndPort => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>Reads an address.</summary>
    /// <exception cref="FormatException">It cannot be understood; the message says what was expected.</exception>
    public static BrokerAddress Parse(string text)
    {
        if (text == Embedded)
            return new BrokerAddress(Embedded, "127.0.0.1", DefaultPorts[Embedded], "");
        var separator = text.IndexOf("://", StringComparison.Ordinal);
        var scheme = separator < 0 ? "mqtt" : text[..separator];
        var rest = separator < 0 ? text : text[(separator + 3)..];
        if (!DefaultPorts.TryGetValue(scheme, out var defaultPort))
            throw new FormatException(Expected);
        if (rest.Contains('@', StringComparison.Ordinal))
            throw new FormatException("an address without a user name or password: those are MQTT_USERNAME and MQTT_PASSWORD_FILE");

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 ? "" : rest[slash..];
        var (host, port) = SplitPort(slash < 0 ? rest : rest[..slash], defaultPort, lowest: scheme == Embedded ? 0 : 1);
        if (path.Length > 1 && scheme is not ("ws" or "wss"))
            throw new FormatException(Expected);
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown && !IPAddress.TryParse(host, out _))
            throw new FormatException(Expected);
        if (scheme == Embedded && !IPAddress.TryParse(host, out _))
            throw new FormatException("embedded://ADDRESS:PORT with an IP address of this machine, such as embedded://127.0.0.1:1883");
        return new BrokerAddress(scheme, host, port, path.TrimEnd('/'));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Scheme}://{HostAndPort}{Path}";

    private static (string Host, int Port) SplitPort(string text, int defaultPort, int lowest)
    {
        var end = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) + 1 : text.IndexOf(':', StringComparison.Ordinal);
        if (end < 0 || end == text.Length)
            (text, end) = (text + ":" + defaultPort, text.Length);
        var digits = text[(end + 1)..];
        if (end == 0 || text[end] != ':' || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port < lowest || port > 65535)
            throw new FormatException(Expected);
        return (text[..end].Trim('[', ']'), port);
    }
}
