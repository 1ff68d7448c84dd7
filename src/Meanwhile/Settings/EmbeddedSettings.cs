using System.CommandLine;
using System.Net;
using Meanwhile.Feeds;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Pipeline;

namespace Meanwhile.Settings;

/// <summary>Where the embedded broker listens, and who may do what there.</summary>
internal static class EmbeddedSettings
{
    private static readonly Setting<IReadOnlyList<ListenAddress>> Listen = new(
        "--listen", null, null, "ADDRESSES", "where the embedded broker listens: ADDRESS:PORT, mqtt://, mqtts://, ws://, wss:// and that, with commas between them [default: 127.0.0.1:1883, or what embedded:// says]",
        ListenAddress.ParseList);

    private static readonly Setting<string> Certificate = new("--cert", null, null, "FILE", "its certificate for TLS in PEM, with those of the authorities between", text => text);

    private static readonly Setting<string> Key = new("--key", null, null, "FILE", "the private key of the certificate [default: in the file of --cert]", text => text);

    private static readonly Setting<string> ClientAuthority = new(
        "--client-ca", null, null, "FILE", "authorities of clients: with TLS, each has to show a certificate of theirs, whose common name is its user name", text => text);

    private static readonly Setting<string> Users = new("--users", null, null, "FILE", "users who may connect, as meanwhile passwd makes them", text => text);

    private static readonly Setting<string> AccessList = new("--acl", null, null, "FILE", "who may read and write which topics", text => text);

    private static readonly Setting<IReadOnlyList<IPNetwork>> Proxies = new(
        "--proxy-protocol", null, null, "NETWORKS", "addresses and networks of proxies, which have to say first for whom they connect (PROXY protocol, version 1 or 2), with commas between them", ProxyNetwork.ParseList);

    private static readonly Setting<IReadOnlyList<WebOrigin>> WebOrigins = new(
        "--ws-origin", null, null, "ORIGINS", "web pages of other hosts that may connect over WebSocket, such as https://example.com, with commas between them", ParseOrigins);

    private static readonly Setting<TimeSpan?> StatusInterval = new(
        "--sys-interval", null, "10s", "SPAN", "how often it says how it is on the topics below $SYS/broker, or off", ParseInterval);

    private static readonly Option<bool> AllowAnonymous = new("--allow-anonymous")
    {
        Description = "let clients without a name in, also where there are users, and where others than this machine's users reach it",
    };

    /// <summary>All of them.</summary>
    public static IEnumerable<Option> Options { get; } =
    [
        Listen.Option, Certificate.Option, Key.Option, ClientAuthority.Option, Users.Option, AccessList.Option, AllowAnonymous, Proxies.Option, WebOrigins.Option, StatusInterval.Option,
        .. BrokerLimitSettings.Options,
    ];

    /// <summary>Reads them.</summary>
    /// <param name="standard">Where to listen unless it is said.</param>
    public static EmbeddedOptions Read(ParseResult commandLine, SettingSources sources, ListenAddress standard)
    {
        var listeners = Listen.Read(commandLine, sources) ?? [standard];
        return new EmbeddedOptions(listeners)
        {
            AllowAnonymous = commandLine.GetValue(AllowAnonymous),
            UserFile = Users.Read(commandLine, sources),
            AccessFile = AccessList.Read(commandLine, sources),
            TlsFiles = ReadTls(commandLine, sources, listeners),
            Proxies = Proxies.Read(commandLine, sources) ?? [],
            WebOrigins = ReadOrigins(commandLine, sources, listeners),
            Limits = BrokerLimitSettings.Read(commandLine, sources),
            StatusInterval = StatusInterval.Read(commandLine, sources),
        };
    }

    /// <summary>Sees to it that nobody relies on them where the broker is elsewhere.</summary>
    public static void RequireNone(ParseResult commandLine, BrokerAddress address)
    {
        if (Options.Append(AggregatorSettings.SeriesOfClient.Option).FirstOrDefault(option => commandLine.GetResult(option) is { Implicit: false }) is { } option)
            throw new UserException($"{option.Name} is about the embedded broker, and {address} is elsewhere: expected it with --broker embedded only", ExitCode.Usage);
    }

    private static IReadOnlyList<string> ReadTls(ParseResult commandLine, SettingSources sources, IReadOnlyList<ListenAddress> listeners)
    {
        var (certificate, key, authority) = (Certificate.Read(commandLine, sources), Key.Read(commandLine, sources), ClientAuthority.Read(commandLine, sources));
        var secure = listeners.FirstOrDefault(listener => listener.IsSecure);
        if (secure is not null && certificate is null)
            throw new UserException($"{secure}: TLS needs a certificate: expected --cert FILE, and --key FILE unless the key is in the same file", ExitCode.Usage);
        if (secure is null && (certificate ?? key ?? authority) is not null)
            throw new UserException("--cert, --key and --client-ca are about TLS, and nothing listens with TLS: expected --listen with mqtts:// or wss:// as well", ExitCode.Usage);
        if (certificate is null)
            return [];
        return authority is null ? [certificate, key ?? certificate] : [certificate, key ?? certificate, authority];
    }

    private static IReadOnlyList<WebOrigin> ReadOrigins(ParseResult commandLine, SettingSources sources, IReadOnlyList<ListenAddress> listeners)
    {
        var origins = WebOrigins.Read(commandLine, sources);
        return origins is null || listeners.Any(listener => listener.IsWebSocket)
            ? origins ?? []
            : throw new UserException("--ws-origin is about web pages, and nothing listens for WebSocket: expected --listen with ws:// or wss:// as well", ExitCode.Usage);
    }

    private static IReadOnlyList<WebOrigin> ParseOrigins(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(origin => WebOrigin.TryParse(origin)
        ?? throw new FormatException("scheme and host, and a port unless it is the usual one, such as https://example.com; several with commas between them"))];

    private static TimeSpan? ParseInterval(string text)
    {
        if (text == "off")
            return null;
        return Duration.TryParse(text, out var interval) && interval >= TimeSpan.FromSeconds(1)
            ? interval
            : throw new FormatException("a span of time from 1s on, such as 10s, or off");
    }
}
