using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Feeds;

/// <summary>Reads where proxies are that stand before the embedded broker.</summary>
internal static class ProxyNetwork
{
    /// <summary>Reads addresses and networks with commas between them.</summary>
    /// <exception cref="FormatException">One cannot be understood.</exception>
    public static IReadOnlyList<IPNetwork> ParseList(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(Parse)];

    private static IPNetwork Parse(string text)
    {
        var parts = text.Split('/');
        if (!IPAddress.TryParse(parts[0], out var address) || !IsPlain(address, parts[0]) || parts.Length > 2)
            throw Expected();
        var most = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        if (parts.Length == 1)
            return new IPNetwork(address, most);
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= most ? new IPNetwork(address, length) : throw Expected();
    }

    // .NET takes 10 for 0.0.0.10; and what comes from an address of IPv4 is looked for as such.
    private static bool IsPlain(IPAddress address, string text) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.ToString() == text
        : !address.IsIPv4MappedToIPv6 && address.ScopeId == 0 && !text.StartsWith('[');

    private static FormatException Expected() => new("addresses or networks such as 10.0.0.0/8 or 2001:db8::7; several with commas between them");
}
