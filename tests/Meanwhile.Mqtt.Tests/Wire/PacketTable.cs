using Meanwhile.Mqtt.Wire;
using static Meanwhile.Mqtt.Wire.ReasonCode;

namespace Meanwhile.Mqtt.Tests.Wire;

/// <summary>A packet as raw bytes.</summary>
/// <param name="Name">What it is, or what is wrong with it.</param>
/// <param name="Version">In which version.</param>
/// <param name="Notation">Its bytes: see <see cref="Support.Bytes.Of"/>.</param>
/// <param name="Fault">Why it has to be refused; Success where it is valid.</param>
public sealed record PacketRow(string Name, ProtocolVersion Version, string Notation, ReasonCode Fault = Success)
{
    public byte[] Bytes => Support.Bytes.Of(Notation);

    public override string ToString() => $"{Version} {Name}";
}

/// <summary>Valid and malformed packets of both versions: what encoding, decoding and the broker are judged by.</summary>
internal static class PacketTable
{
    private const ProtocolVersion V31 = ProtocolVersion.V31;
    private const ProtocolVersion V311 = ProtocolVersion.V311;
    private const ProtocolVersion V5 = ProtocolVersion.V5;

    public static IReadOnlyList<PacketRow> Valid { get; } =
    [
        new("CONNECT, the least", V311, "10 { 'MQTT' 04 | 02 | 00 00 | '' }"),
        new("CONNECT with everything", V311, "10 { 'MQTT' 04 | EE | 00 3C | 'client' | 'last/will' | 'gone' | 'user' | 'secret' }"),
        new("CONNECT with a clean session off", V311, "10 { 'MQTT' 04 | 00 | 00 0A | 'client' }"),
        new("CONNECT of a bridge", V311, "10 { 'MQTT' 84 | 2C | 00 3C | 'vm.br' | '$SYS/broker/connection/vm.br/state' '0' }"),
        new("CONNECT, the least", V31, "10 { 'MQIsdp' 03 | 02 | 00 00 | 'c' }"),
        new("CONNECT with everything", V31, "10 { 'MQIsdp' 03 | EE | 00 3C | 'a client with a long name' | 'last/will' | 'gone' | 'user' | 'secret' }"),
        new("CONNECT of a bridge", V31, "10 { 'MQIsdp' 83 | 2C | 00 3C | 'vm.br' | '$SYS/broker/connection/vm.br/state' '0' }"),
        new("SUBSCRIBE", V31, "82 { 00 0A | 'a/#' 01 }"),
        new("CONNECT, the least", V5, "10 { 'MQTT' 05 | 02 | 00 00 | {} | '' }"),
        new("CONNECT with everything", V5, """
            10 { 'MQTT' 05 | EE | 00 3C | { 11 00 00 00 0A | 21 00 14 | 27 00 01 00 00 | 22 00 05 | 19 01 | 17 00 | 26 'a' 'b' | 26 'a' 'c' | 15 'm' | 16 'd' }
                 | 'client' | { 18 00 00 00 05 | 01 01 | 02 00 00 00 3C | 03 'text/plain' | 08 'answers' | 09 'x1' | 26 'k' 'v' } | 'last/will' | 'gone' | 'user' | 'secret' }
            """),
        new("CONNECT with a password and no user", V5, "10 { 'MQTT' 05 | 42 | 00 00 | {} | 'c' | 'secret' }"),
        new("CONNACK", V311, "20 02 00 00"),
        new("CONNACK, session present", V311, "20 02 01 00"),
        new("CONNACK, refused", V311, "20 02 00 05"),
        new("CONNACK", V5, "20 { 00 00 {} }"),
        new("CONNACK with everything", V5, """
            20 { 01 00 { 11 00 00 00 0A | 21 00 14 | 24 01 | 25 01 | 27 00 01 00 00 | 12 'auto-1' | 22 00 0A | 1F 'why' | 26 'a' 'b' | 28 01 | 29 01 | 2A 00 | 13 00 3C
                 | 1A 'here' | 1C 'there' | 15 'm' | 16 'd' } }
            """),
        new("CONNACK, refused", V5, "20 { 00 87 {} }"),
        new("PUBLISH at QoS 0", V311, "30 { 'a/b' | \"21.5\" }"),
        new("PUBLISH without a payload, retained", V311, "31 { 'a/b' }"),
        new("PUBLISH at QoS 1", V311, "32 { 'a/b' 00 0A | \"21.5\" }"),
        new("PUBLISH at QoS 2, again", V311, "3C { 'a/b' FF FF | \"21.5\" }"),
        new("PUBLISH with a payload of 200 bytes", V311, $"30 {{ 'a' | \"{new string('x', 200)}\" }}"),
        new("PUBLISH with a payload of 20,000 bytes", V311, $"30 {{ 'a' | \"{new string('x', 20_000)}\" }}"),
        new("PUBLISH with a topic beyond ASCII", V311, "30 { 'Küche/温度/😀' | \"1\" }"),
        new("PUBLISH whose topic begins with a byte order mark [MQTT-1.5.4-3]", V311, "30 { 00 04 EF BB BF 61 | 31 }"),
        new("PUBLISH at QoS 0", V5, "30 { 'a/b' {} | \"21.5\" }"),
        new("PUBLISH with everything", V5, """
            3B { 'a/b' 00 0A { 01 01 | 02 00 00 00 3C | 23 00 05 | 08 'answers' | 09 'x1' | 26 'a' 'b' | 26 'a' 'b' | 0B 01 | 0B FF FF FF 7F | 03 'text/plain' } | "21.5" }
            """),
        new("PUBLISH by alias", V5, "32 { '' 00 0A { 23 00 05 } | \"21.5\" }"),
        new("PUBACK", V311, "40 02 00 0A"),
        new("PUBREC", V311, "50 02 00 0A"),
        new("PUBREL", V311, "62 02 00 0A"),
        new("PUBCOMP", V311, "70 02 00 0A"),
        new("PUBACK", V5, "40 02 00 0A"),
        new("PUBACK, refused", V5, "40 03 00 0A 97"),
        new("PUBREC, nobody there, with properties", V5, "50 { 00 0A 10 { 1F 'nobody' | 26 'a' 'b' } }"),
        new("PUBREL, not found", V5, "62 03 00 0A 92"),
        new("PUBCOMP, not found", V5, "70 03 00 0A 92"),
        new("SUBSCRIBE", V311, "82 { 00 0A | 'a/+/b' 00 | '#' 01 | '$SYS/#' 02 | '/' 00 | '+' 00 | 'a//b' 00 }"),
        new("SUBSCRIBE", V5, "82 { 00 0A { 0B 05 | 26 'a' 'b' } | 'a/b' 2E | '$share/g/a/#' 11 }"),
        new("SUBACK", V311, "90 { 00 0A | 00 01 02 80 }"),
        new("SUBACK", V5, "90 { 00 0A { 1F 'why' } | 00 01 02 87 97 }"),
        new("UNSUBSCRIBE", V311, "A2 { 00 0A | 'a/b' | '+/+' }"),
        new("UNSUBSCRIBE", V5, "A2 { 00 0A { 26 'a' 'b' } | 'a/b' }"),
        new("UNSUBACK", V311, "B0 02 00 0A"),
        new("UNSUBACK", V5, "B0 { 00 0A {} | 00 11 }"),
        new("PINGREQ", V311, "C0 00"),
        new("PINGRESP", V311, "D0 00"),
        new("DISCONNECT", V311, "E0 00"),
        new("DISCONNECT", V5, "E0 00"),
        new("DISCONNECT with the will", V5, "E0 01 04"),
        new("DISCONNECT with everything", V5, "E0 { 8E { 1F 'why' | 26 'a' 'b' | 1C 'there' } }"),
        new("AUTH", V5, "F0 00"),
        new("AUTH goes on", V5, "F0 { 18 { 15 'm' | 16 'd' | 1F 'why' | 26 'a' 'b' } }"),
    ];

    public static IReadOnlyList<PacketRow> Malformed { get; } =
    [
        // Fixed header.
        new("type 0", V311, "00 00", MalformedPacket),
        new("AUTH in 3.1.1 [MQTT-2.2.1]", V311, "F0 00", MalformedPacket),
        new("flags in CONNECT [MQTT-2.1.3-1]", V5, "11 { 'MQTT' 05 | 02 | 00 00 | {} | '' }", MalformedPacket),
        new("flags in PINGREQ", V311, "C1 00", MalformedPacket),
        new("flags in PUBREL [MQTT-3.6.1-1]", V311, "60 02 00 0A", MalformedPacket),
        new("flags in SUBSCRIBE [MQTT-3.8.1-1]", V311, "80 { 00 0A | 'a' 00 }", MalformedPacket),
        new("flags in UNSUBSCRIBE [MQTT-3.10.1-1]", V311, "A0 { 00 0A | 'a' }", MalformedPacket),
        new("a remaining length of five bytes", V311, "C0 80 80 80 80 00", MalformedPacket),
        new("a remaining length longer than needed [MQTT-1.5.5-1]", V5, "C0 80 00", MalformedPacket),
        new("too large", V311, "30 FF FF FF 7F", PacketTooLarge),
        new("PINGREQ with a body", V311, "C0 01 00", MalformedPacket),

        // CONNECT.
        new("another protocol [MQTT-3.1.2-1]", V311, "10 { 'HTTP' 04 | 02 | 00 00 | '' }", UnsupportedProtocolVersion),
        new("level 6 [MQTT-3.1.2-2]", V311, "10 { 'MQTT' 06 | 02 | 00 00 | '' }", UnsupportedProtocolVersion),
        new("the reserved flag [MQTT-3.1.2-3]", V311, "10 { 'MQTT' 04 | 03 | 00 00 | '' }", MalformedPacket),
        new("will QoS without a will [MQTT-3.1.2-11]", V311, "10 { 'MQTT' 04 | 0A | 00 00 | '' }", MalformedPacket),
        new("will retain without a will [MQTT-3.1.2-13]", V311, "10 { 'MQTT' 04 | 22 | 00 00 | '' }", MalformedPacket),
        new("will QoS 3 [MQTT-3.1.2-12]", V311, "10 { 'MQTT' 04 | 1E | 00 00 | '' | 'w' | '' }", MalformedPacket),
        new("a password without a user [MQTT-3.1.2-22] of 3.1.1", V311, "10 { 'MQTT' 04 | 42 | 00 00 | 'c' | 'secret' }", MalformedPacket),
        new("a user that is not there [MQTT-3.1.2-17]", V311, "10 { 'MQTT' 04 | 82 | 00 00 | 'c' }", MalformedPacket),
        new("bytes after CONNECT", V311, "10 { 'MQTT' 04 | 02 | 00 00 | 'c' | 00 }", MalformedPacket),
        new("the will's topic has a wildcard [MQTT-4.7.0-1]", V311, "10 { 'MQTT' 04 | 06 | 00 00 | 'c' | 'a/#' | '' }", MalformedPacket),
        new("U+0000 in the client id [MQTT-1.5.4-2]", V311, "10 { 'MQTT' 04 | 02 | 00 00 | 00 01 00 }", MalformedPacket),
        new("Receive Maximum 0", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 21 00 00 } | '' }", ProtocolError),
        new("Maximum Packet Size 0", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 27 00 00 00 00 } | '' }", ProtocolError),
        new("Request Problem Information 2", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 17 02 } | '' }", ProtocolError),
        new("a property twice", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 21 00 01 | 21 00 01 } | '' }", ProtocolError),
        new("a property of the will", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 18 00 00 00 01 } | '' }", MalformedPacket),
        new("an unknown property", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 7F 00 } | '' }", MalformedPacket),
        new("a property cut off", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 21 00 } | '' }", MalformedPacket),
        new("properties longer than the packet", V5, "10 { 'MQTT' 05 | 02 | 00 00 | 7F | '' }", MalformedPacket),
        new("a will that is not there [MQTT-3.1.2-9]", V5, "10 { 'MQTT' 05 | 06 | 00 00 | {} | 'c' }", MalformedPacket),
        new("a user without its flag [MQTT-3.1.2-16]", V5, "10 { 'MQTT' 05 | 02 | 00 00 | {} | 'c' | 'user' }", MalformedPacket),
        new("a password without its flag [MQTT-3.1.2-18]", V5, "10 { 'MQTT' 05 | 82 | 00 00 | {} | 'c' | 'user' | 'secret' }", MalformedPacket),
        new("a password that is not there [MQTT-3.1.2-19]", V5, "10 { 'MQTT' 05 | 42 | 00 00 | {} | 'c' }", MalformedPacket),
        new("no client id [MQTT-3.1.3-3]", V5, "10 { 'MQTT' 05 | 02 | 00 00 | {} }", MalformedPacket),
        new("a client id that is no UTF-8 [MQTT-3.1.3-4]", V5, "10 { 'MQTT' 05 | 02 | 00 00 | {} | 00 01 FF }", MalformedPacket),
        new("a will's topic that is no UTF-8 [MQTT-3.1.3-11]", V5, "10 { 'MQTT' 05 | 06 | 00 00 | {} | 'c' | {} 00 01 FF | '' }", MalformedPacket),
        new("a user that is no UTF-8 [MQTT-3.1.3-12]", V5, "10 { 'MQTT' 05 | 82 | 00 00 | {} | 'c' | 00 01 FF }", MalformedPacket),
        new("authentication data without a method", V5, "10 { 'MQTT' 05 | 02 | 00 00 | { 16 'd' } | '' }", ProtocolError),

        // PUBLISH.
        new("QoS 3 [MQTT-3.3.1-4]", V311, "36 { 'a' 00 0A }", MalformedPacket),
        new("DUP at QoS 0 [MQTT-3.3.1-2]", V311, "38 { 'a' }", MalformedPacket),
        new("packet identifier 0 [MQTT-2.2.1-3]", V311, "32 { 'a' 00 00 }", MalformedPacket),
        new("no packet identifier", V311, "32 { 'a' }", MalformedPacket),
        new("no topic", V311, "30 { '' | \"1\" }", ProtocolError),
        new("no topic and no alias [MQTT-4.7.3-1]", V5, "30 { '' {} | \"1\" }", ProtocolError),
        new("a wildcard [MQTT-3.3.2-2], [MQTT-4.7.0-1]", V311, "30 { 'a/+' | \"1\" }", MalformedPacket),
        new("a control character in a topic [MQTT-5.0, 1.5.4]", V311, "30 { 00 03 61 01 62 | \"1\" }", MalformedPacket),
        new("U+009F in a topic", V311, "30 { 00 03 61 C2 9F | \"1\" }", MalformedPacket),
        new("U+FFFF in a topic", V311, "30 { 00 03 EF BF BF | \"1\" }", MalformedPacket),
        new("U+FDD0 in a filter", V311, "82 { 00 0A | 00 03 EF B7 90 00 }", MalformedPacket),
        new("U+1FFFE in the client id", V311, "10 { 'MQTT' 04 | 02 | 00 00 | 00 04 F0 9F BF BE }", MalformedPacket),
        new("a topic longer than the packet", V311, "30 { 00 05 61 }", MalformedPacket),
        new("a topic that is no UTF-8 [MQTT-1.5.4-1], [MQTT-3.3.2-1]", V311, "30 { 00 02 C3 28 }", MalformedPacket),
        new("a surrogate [MQTT-1.5.4-1]", V311, "30 { 00 03 ED A0 80 }", MalformedPacket),
        new("an overlong form", V311, "30 { 00 02 C0 AF }", MalformedPacket),
        new("U+0000 [MQTT-1.5.4-2], [MQTT-4.7.3-2]", V311, "30 { 00 03 61 00 62 }", MalformedPacket),
        new("alias 0 [MQTT-3.3.2-8]", V5, "30 { 'a' { 23 00 00 } }", TopicAliasInvalid),
        new("a response topic with a wildcard [MQTT-3.3.2-14]", V5, "30 { 'a' { 08 'a/#' } }", ProtocolError),
        new("a response topic that is no UTF-8 [MQTT-3.3.2-13]", V5, "30 { 'a' { 08 00 01 FF } }", MalformedPacket),
        new("a content type that is no UTF-8 [MQTT-3.3.2-19]", V5, "30 { 'a' { 03 00 01 FF } }", MalformedPacket),
        new("a user property that is no UTF-8 [MQTT-1.5.7-1]", V5, "30 { 'a' { 26 'k' 00 01 FF } }", MalformedPacket),
        new("payload format 2", V5, "30 { 'a' { 01 02 } }", ProtocolError),
        new("a property of CONNECT", V5, "30 { 'a' { 21 00 01 } }", MalformedPacket),

        // Acknowledgements.
        new("PUBACK 0", V311, "40 02 00 00", MalformedPacket),
        new("PUBACK cut off", V311, "40 01 00", MalformedPacket),
        new("PUBACK with a reason in 3.1.1", V311, "40 03 00 0A 00", MalformedPacket),
        new("PUBACK with a reason of others [MQTT-3.4.2-1]", V5, "40 03 00 0A 92", MalformedPacket),
        new("PUBREC with a reason of others [MQTT-3.5.2-1]", V5, "50 03 00 0A 92", MalformedPacket),
        new("PUBREL with a reason of others [MQTT-3.6.2-1]", V5, "62 03 00 0A 80", MalformedPacket),
        new("PUBCOMP with a reason of others [MQTT-3.7.2-1]", V5, "70 03 00 0A 80", MalformedPacket),
        new("PUBCOMP with bytes after it", V5, "70 { 00 0A 00 {} 00 }", MalformedPacket),

        // SUBSCRIBE and UNSUBSCRIBE.
        new("no filter [MQTT-3.8.3-2]", V311, "82 02 00 0A", MalformedPacket),
        new("packet identifier 0", V311, "82 { 00 00 | 'a' 00 }", MalformedPacket),
        new("a filter that is no UTF-8 [MQTT-3.8.3-1]", V311, "82 { 00 0A | 00 01 FF 00 }", MalformedPacket),
        new("no options", V311, "82 { 00 0A | 'a' }", MalformedPacket),
        new("QoS 3 [MQTT-3.8.3-4] of 3.1.1", V311, "82 { 00 0A | 'a' 03 }", MalformedPacket),
        new("options of 5.0", V311, "82 { 00 0A | 'a' 04 }", MalformedPacket),
        new("reserved options [MQTT-3.8.3-5]", V5, "82 { 00 0A {} | 'a' 40 }", MalformedPacket),
        new("retain handling 3", V5, "82 { 00 0A {} | 'a' 30 }", MalformedPacket),
        new("No Local on a shared subscription [MQTT-3.8.3-4]", V5, "82 { 00 0A {} | '$share/g/a' 04 }", ProtocolError),
        new("subscription identifier 0", V5, "82 { 00 0A { 0B 00 } | 'a' 00 }", ProtocolError),
        new("two subscription identifiers", V5, "82 { 00 0A { 0B 01 | 0B 02 } | 'a' 00 }", ProtocolError),
        new("an empty filter [MQTT-4.7.3-1]", V311, "82 { 00 0A | '' 00 }", MalformedPacket),
        new("'#' not at the end [MQTT-4.7.1-1]", V311, "82 { 00 0A | 'a/#/b' 00 }", MalformedPacket),
        new("'#' not alone [MQTT-4.7.1-1]", V311, "82 { 00 0A | 'a#' 00 }", MalformedPacket),
        new("'+' not alone [MQTT-4.7.1-2]", V311, "82 { 00 0A | 'a+/b' 00 }", MalformedPacket),
        new("a share without a name [MQTT-4.8.2-1]", V5, "82 { 00 0A {} | '$share//a' 00 }", MalformedPacket),
        new("a share with a wildcard [MQTT-4.8.2-2]", V5, "82 { 00 0A {} | '$share/+/a' 00 }", MalformedPacket),
        new("a share without a filter", V5, "82 { 00 0A {} | '$share/g' 00 }", MalformedPacket),
        new("no filter to unsubscribe [MQTT-3.10.3-2]", V311, "A2 02 00 0A", MalformedPacket),
        new("a filter to unsubscribe that is no UTF-8 [MQTT-3.10.3-1]", V311, "A2 { 00 0A | 00 01 FF }", MalformedPacket),
        new("an invalid filter to unsubscribe", V311, "A2 { 00 0A | 'a#' }", MalformedPacket),

        // Of the server, and the end.
        new("CONNACK with reserved flags [MQTT-3.2.2-1]", V311, "20 02 02 00", MalformedPacket),
        new("CONNACK, refused with a session [MQTT-3.2.2-6]", V5, "20 { 01 87 {} }", ProtocolError),
        new("CONNACK, refused with a session [MQTT-3.2.2-4] of 3.1.1", V311, "20 02 01 05", ProtocolError),
        new("CONNACK cut off", V311, "20 01 00", MalformedPacket),
        new("CONNACK with bytes after it", V311, "20 03 00 00 00", MalformedPacket),
        new("CONNACK without properties [MQTT-2.2.2-1]", V5, "20 02 00 00", MalformedPacket),
        new("CONNACK with a reason of others [MQTT-3.2.2-8]", V5, "20 { 00 10 {} }", MalformedPacket),
        new("CONNACK with Receive Maximum 0", V5, "20 { 00 00 { 21 00 00 } }", ProtocolError),
        new("CONNACK with Maximum Packet Size 0", V5, "20 { 00 00 { 27 00 00 00 00 } }", ProtocolError),
        new("CONNACK with Maximum QoS 2", V5, "20 { 00 00 { 24 02 } }", ProtocolError),
        new("CONNACK with a property twice", V5, "20 { 00 00 { 13 00 01 | 13 00 01 } }", ProtocolError),
        new("CONNACK with a property of CONNECT", V5, "20 { 00 00 { 17 01 } }", MalformedPacket),
        new("SUBACK 0", V311, "90 { 00 00 | 00 }", MalformedPacket),
        new("SUBACK with a code of UNSUBACK [MQTT-3.9.3-2]", V5, "90 { 00 0A {} | 11 }", MalformedPacket),
        new("UNSUBACK with a code of SUBACK [MQTT-3.11.3-2]", V5, "B0 { 00 0A {} | 01 }", MalformedPacket),
        new("PINGRESP with a body", V311, "D0 01 00", MalformedPacket),
        new("CONNACK with an unknown code", V311, "20 02 00 06", MalformedPacket),
        new("SUBACK with an unknown code [MQTT-3.9.3-2] of 3.1.1", V311, "90 { 00 0A | 87 }", MalformedPacket),
        new("UNSUBACK with a code in 3.1.1", V311, "B0 { 00 0A | 00 }", MalformedPacket),
        new("DISCONNECT with a reason in 3.1.1", V311, "E0 01 00", MalformedPacket),
        new("DISCONNECT with a reason of others [MQTT-3.14.2-1]", V5, "E0 01 10", MalformedPacket),
        new("flags in DISCONNECT [MQTT-3.14.1-1]", V5, "E1 00", MalformedPacket),
        new("flags in AUTH [MQTT-3.15.1-1]", V5, "F1 00", MalformedPacket),
        new("AUTH with a reason of others [MQTT-3.15.2-1]", V5, "F0 01 80", MalformedPacket),
    ];
}
