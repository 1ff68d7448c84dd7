using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Meanwhile.Mqtt.Wire;

/// <summary>What a proxy says of a connection before anything else: the PROXY protocol, versions 1 and 2.</summary>
internal static class ProxyHeader
{
    private const int LongestText = 107; // With its end: it is enough for all that there can be.
    private const int LongestBinary = 4096; // What proxies add to the addresses could have 65,535 bytes, and has some dozens.
    private const int FixedLength = 16;
    private const byte Local = 0x20; // Version 2, and the command.
    private const byte Proxy = 0x21;

    /// <summary>The beginning of version 1.</summary>
    public static ReadOnlySpan<byte> Word => "PROXY "u8;

    /// <summary>The beginning of version 2.</summary>
    public static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Reads one, and takes it off.</summary>
    /// <param name="bytes">What has come.</param>
    /// <param name="source">Where the connection comes from; null when the proxy does not say it, or speaks for itself.</param>
    /// <returns>False as long as it is not all there.</returns>
    /// <exception cref="ProtocolException">It is none, or cannot be understood.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> bytes, out IPEndPoint? source)
    {
        Span<byte> start = stackalloc byte[LongestText];
        start = start[..(int)Math.Min(bytes.Length, LongestText)];
        bytes.Slice(0, start.Length).CopyTo(start);
        source = null;
        var isBinary = IsBegun(start, Signature);
        if (!isBinary && !IsBegun(start, Word))
            throw ProtocolException.Error("a PROXY header has to come first from this address, and this is none");
        if ((isBinary ? LengthOfBinary(start) : LengthOfText(start)) is not { } length || bytes.Length < length)
            return false;
        source = isBinary ? SourceOfBinary(start, length) : SourceOfText(start[..(length - 2)]);
        bytes = bytes.Slice(length);
        return true;
    }

    private static bool IsBegun(ReadOnlySpan<byte> start, ReadOnlySpan<byte> with) => start.StartsWith(with[..Math.Min(start.Length, with.Length)]);

    private static int? LengthOfText(ReadOnlySpan<byte> start)
    {
        var end = start.IndexOf("\r\n"u8);
        if (end < 0 && start.Length == LongestText)
            throw ProtocolException.Error($"the line of its PROXY header is longer than {LongestText} bytes");
        return end < 0 ? null : end + 2;
    }

    private static IPEndPoint? SourceOfText(ReadOnlySpan<byte> line) => Encoding.ASCII.GetString(line).Split(' ') switch
    {
        [_, "UNKNOWN", ..] => null,
        [_, "TCP4", var source, var target, var port, var targetPort] => Read(AddressFamily.InterNetwork, source, target, port, targetPort),
        [_, "TCP6", var source, var target, var port, var targetPort] => Read(AddressFamily.InterNetworkV6, source, target, port, targetPort),
        _ => throw WrongLine(),
    };

    private static IPEndPoint Read(AddressFamily family, string source, string target, string port, string targetPort) =>
        Address(source, family) is { } address && Address(target, family) is not null && Port(port) is { } number && Port(targetPort) is not null
            ? new IPEndPoint(address, number)
            : throw WrongLine();

    // .NET knows more ways to write an address than there are here.
    private static IPAddress? Address(string text, AddressFamily family) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == family
        && (family == AddressFamily.InterNetwork ? address.ToString() == text : text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.'))
            ? address
            : null;

    private static int? Port(string text) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;

    private static int? LengthOfBinary(ReadOnlySpan<byte> start)
    {
        if (start.Length < FixedLength)
            return null;
        if (start[12] is not (Local or Proxy))
            throw ProtocolException.Error("its PROXY header has neither of the commands of version 2");
        var length = FixedLength + BinaryPrimitives.ReadUInt16BigEndian(start[14..]);
        return length <= LongestBinary ? length : throw ProtocolException.Error($"its PROXY header is longer than {LongestBinary} bytes");
    }

    private static IPEndPoint? SourceOfBinary(ReadOnlySpan<byte> start, int length)
    {
        if (start[12] == Local)
            return null;
        var (family, transport) = (start[13] >> 4, start[13] & 0xF);
        if (family > 3 || transport > 2)
            throw ProtocolException.Error("the addresses in its PROXY header are of no family of version 2");
        var (size, portSize) = family switch
        {
            1 => (4, 2),
            2 => (16, 2),
            3 => (108, 0), // Paths of sockets on the proxy's machine.
            _ => (0, 0),
        };
        if (length < FixedLength + (2 * (size + portSize)))
            throw ProtocolException.Error("its PROXY header is too short for its addresses");
        return portSize == 0 || transport == 0
            ? null
            : new IPEndPoint(new IPAddress(start.Slice(FixedLength, size)), BinaryPrimitives.ReadUInt16BigEndian(start[(FixedLength + (2 * size))..]));
    }

    private static ProtocolException WrongLine() => ProtocolException.Error("the line of its PROXY header is not PROXY, TCP4 or TCP6, two addresses and two ports, nor PROXY UNKNOWN");
}
