using System.Buffers;
using System.Globalization;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Wire;

/// <summary>What proxies say first, in both versions, by the bytes that the standard gives.</summary>
public class ProxyHeaderTests
{
    private const string V2 = "0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A ";

    /// <summary>Headers, and the address that they mean; empty for none.</summary>
    public static TheoryData<string, string> Good { get; } = new()
    {
        { "\"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\" 0D 0A", "192.0.2.7:56324" },
        { "\"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\" 0D 0A", "0.0.0.0:0" },
        { "\"PROXY TCP6 2001:db8::7 ::1 65535 1883\" 0D 0A", "[2001:db8::7]:65535" },
        { "\"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\" 0D 0A", "[::ffff:192.0.2.7]:1" },
        { $"\"PROXY TCP6 {string.Join(':', Enumerable.Repeat("ffff", 8))} {string.Join(':', Enumerable.Repeat("ffff", 8))} 65535 65535\" 0D 0A", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
        { "\"PROXY UNKNOWN\" 0D 0A", "" },
        { $"\"PROXY UNKNOWN {new string('f', 91)}\" 0D 0A", "" }, // 107 bytes, the most that there may be.
        { "\"PROXY UNKNOWN what ever 1 2 3 4 5\" 0D 0A", "" },
        { V2 + "21 11 00 0C | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B", "192.0.2.7:56324" },
        { V2 + "21 12 00 0C | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B", "192.0.2.7:56324" }, // UDP, as of QUIC.
        { V2 + "21 11 00 13 | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B | 04 00 04 01 02 03 04", "192.0.2.7:56324" }, // And something more.
        { V2 + "21 11 00 0D | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B | FF", "192.0.2.7:56324" }, // Whatever that is.
        { V2 + "21 11 0F F0 | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B" + string.Concat(Enumerable.Repeat(" 04", 4080 - 12)), "192.0.2.7:56324" },
        { V2 + "21 21 00 24 | 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 07 | 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01 | DC 04 | 07 5B", "[2001:db8::7]:56324" },
        { V2 + "21 31 00 D8" + string.Concat(Enumerable.Repeat(" 2F", 216)), "" }, // Sockets of the proxy's machine.
        { V2 + "21 00 00 00", "" },
        { V2 + "21 00 00 03 | 01 02 03", "" },
        { V2 + "21 10 00 0C | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B", "" },
        { V2 + "20 00 00 00", "" }, // LOCAL: the proxy speaks for itself.
        { V2 + "20 11 00 0C | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B", "" },
        { V2 + "20 FF 00 01 | 00", "" },
    };

    /// <summary>No headers, and what is said of them.</summary>
    public static TheoryData<string, string> Bad { get; } = new()
    {
        { "10 { 'MQTT' 04 | 02 | 00 00 | 'c' }", "has to come first" },
        { "16 03 01", "has to come first" },
        { "\"GET / HTTP/1.1\"", "has to come first" },
        { "\"PROXX\"", "has to come first" },
        { "\"PROXYTCP4\"", "has to come first" },
        { "\"proxy TCP4\"", "has to come first" },
        { "0D 0A 0D 0A 00 0D 0A 51 55 49 54 0D", "has to come first" },
        { "\"PROXY TCP4\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY \" 0D 0A", "two addresses and two ports" },
        { "\"PROXY unknown\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.7 198.51.100.1 56324\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883 1\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4  192.0.2.7 198.51.100.1 56324 1883\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883 \" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.7 198.51.100.1 65536 1883\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.7 198.51.100.1 -1 1883\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.7 198.51.100.1 1 x\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2 198.51.100.1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.07 198.51.100.1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 192.0.2.256 198.51.100.1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 0x7f000001 198.51.100.1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP4 ::1 ::1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP6 192.0.2.7 198.51.100.1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP6 fe80::1%1 ::1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY TCP6 [::1] ::1 1 2\" 0D 0A", "two addresses and two ports" },
        { "\"PROXY UDP4 192.0.2.7 198.51.100.1 1 2\" 0D 0A", "two addresses and two ports" },
        { $"\"PROXY UNKNOWN {new string('f', 92)}\" 0D 0A", "longer than 107 bytes" },
        { $"\"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\" 0A {string.Concat(Enumerable.Repeat("C0 00 ", 50))}", "longer than 107 bytes" },
        { V2 + "11 11 00 0C", "commands" },
        { V2 + "31 11 00 0C", "commands" },
        { V2 + "22 11 00 0C", "commands" },
        { V2 + "2F 11 00 0C", "commands" },
        { V2 + "21 11 0F F1", "longer than 4096 bytes" },
        { V2 + "20 00 FF FF", "longer than 4096 bytes" },
        { V2 + "21 41 00 00", "of no family" },
        { V2 + "21 13 00 0C | C0 00 02 07 | C6 33 64 01 | DC 04 | 07 5B", "of no family" },
        { V2 + "21 11 00 0B | C0 00 02 07 | C6 33 64 01 | DC 04 | 07", "too short" },
        { V2 + "21 21 00 23" + string.Concat(Enumerable.Repeat(" 00", 35)), "too short" },
        { V2 + "21 31 00 D7" + string.Concat(Enumerable.Repeat(" 00", 215)), "too short" },
        { V2 + "21 11 00 00", "too short" },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_header_is_read_wherever_it_is_cut_and_nothing_behind_it_is_taken(string header, string source)
    {
        var bytes = Bytes.Of(header);
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            var part = new ReadOnlySequence<byte>(bytes, 0, cut);
            Assert.False(ProxyHeader.TryRead(ref part, out _), cut.ToString(CultureInfo.InvariantCulture));
            Assert.Equal(cut, part.Length);
            byte[] more = [.. bytes, 0x10, 0x20];
            var whole = Bytes.InSegments(more, cut);
            Assert.True(ProxyHeader.TryRead(ref whole, out var read));
            Assert.Equal((source, "1020"), ($"{read}", Convert.ToHexString(whole.ToArray())));
        }
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_is_none_is_said_as_soon_as_it_can_be_known_and_never_taken_for_one(string header, string problem)
    {
        var bytes = Bytes.Of(header);
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            try
            {
                var part = new ReadOnlySequence<byte>(bytes, 0, cut);
                Assert.False(ProxyHeader.TryRead(ref part, out _), cut.ToString(CultureInfo.InvariantCulture));
            }
            catch (ProtocolException e)
            {
                Assert.Contains(problem, e.Message, StringComparison.Ordinal);
            }
        }
        var fault = Assert.Throws<ProtocolException>(() =>
        {
            var whole = new ReadOnlySequence<byte>(bytes);
            _ = ProxyHeader.TryRead(ref whole, out _);
        });
        Assert.Contains(problem, fault.Message, StringComparison.Ordinal);
    }
}
