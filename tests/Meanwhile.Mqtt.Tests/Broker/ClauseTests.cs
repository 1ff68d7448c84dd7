using System.Net.WebSockets;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clauses of the standard about connections and sessions, in raw bytes.</summary>
public class ClauseTests
{
    [Theory]
    [InlineData("0123456789abcdefghijklm")]
    [InlineData("nopqrstuvwxyzABCDEFGHIJ")]
    [InlineData("KLMNOPQRSTUVWXYZ")]
    [InlineData("Z")]
    [Clause("MQTT-3.1.3-5")]
    public async Task A_client_identifier_of_23_letters_and_digits_is_allowed_in_every_version(string clientId)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var v5 = await RawClient.Connect5Async(broker.EndPoints[0], clientId);
        await using var v311 = await RawClient.ConnectAsync(broker.EndPoints[0], clientId);
        await using var v31 = await RawClient.OpenAsync(broker.EndPoints[0]);
        await v31.SendAsync($"10 {{ 'MQIsdp' 03 | 02 | 00 00 | '{clientId}' }}");
        await v31.ExpectAsync("20 02 00 00");
    }

    [Fact]
    [Clause("MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")]
    public async Task A_client_identifier_that_the_server_chooses_is_new_and_names_the_session()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var first = await RawClient.OpenAsync(broker.EndPoints[0]);
        await using var second = await RawClient.OpenAsync(broker.EndPoints[0]);
        var (one, other) = (await AssignedAsync(first), await AssignedAsync(second));
        Assert.NotEqual(one, other);
        await using var again = await RawClient.Connect5Async(broker.EndPoints[0], one, "11 00 00 00 3C", clean: false, expectSession: true);
        await first.ExpectAsync("E0 01 8E");
        await second.ExpectNothingAsync();

        static async Task<string> AssignedAsync(RawClient client)
        {
            await client.SendAsync("10 { 'MQTT' 05 | 02 | 00 3C | { 11 00 00 00 3C } | '' }");
            var connAck = await client.ReadPacketAsync();
            var at = Array.IndexOf(connAck, (byte)0x12, startIndex: 4 + 12); // Behind the three numbers that are always there.
            return System.Text.Encoding.UTF8.GetString(connAck, at + 3, connAck[at + 2]);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("19 00")]
    [InlineData("19 01")]
    [Clause("MQTT-3.1.2-28", "MQTT-3.1.4-5", "MQTT-3.2.2-1", "MQTT-4.12.0-6")]
    public async Task Connack_says_what_was_agreed_on_and_nothing_else(string properties)
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { ReceiveMaximum = 10, PayloadSize = 1000, TopicAliasMaximum = 3 } });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync($"10 {{ 'MQTT' 05 | 02 | 00 3C | {{ {properties} }} | 'c' }}");
        await client.ExpectAsync("20 { 00 00 { 21 00 0A | 27 00 02 03 E8 | 22 00 03 } }");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-29")]
    public async Task Whoever_wants_no_reasons_in_words_gets_none_with_an_answer()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { TopicLevels = 3 } });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", "17 00");
        foreach (var (packet, answer) in new[]
        {
            ("32 { 'a/b/c/d' 00 01 {} }", "40 03 00 01 90"),
            ("34 { 'a/b/c/d' 00 02 {} }", "50 03 00 02 90"),
            ("62 02 00 03", "70 03 00 03 92"),
            ("50 02 00 04", "62 03 00 04 92"),
            ("82 { 00 05 {} | 'a/b/c/d' 00 }", "90 { 00 05 {} | 8F }"),
            ("A2 { 00 06 {} | 'x' }", "B0 { 00 06 {} | 11 }"),
        })
        {
            await client.SendAsync(packet);
            await client.ExpectAsync(answer);
        }
    }

    [Fact]
    [Clause("MQTT-3.2.2-19")]
    public async Task Why_a_connection_is_refused_is_said_in_words_only_where_the_client_takes_a_packet_as_large()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Authenticate = (_, _) => ValueTask.FromResult(LoginAnswer.Accept(new Permissions(_ => false, _ => true))) });
        var inWords = await RefusalAsync("");
        Assert.Equal((0x87, 0x1F), (inWords[3], inWords[5]));
        Assert.Equal(inWords, await RefusalAsync($"27 00 00 00 {inWords.Length:X2}"));
        Assert.Equal(Bytes.Of("20 03 00 87 00"), await RefusalAsync($"27 00 00 00 {inWords.Length - 1:X2}"));

        async Task<byte[]> RefusalAsync(string properties)
        {
            await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
            await client.SendAsync($"10 {{ 'MQTT' 05 | 06 | 00 3C | {{ 17 01 {properties} }} | 'c' | {{}} 'will' 'gone' }}");
            var refusal = await client.ReadPacketAsync();
            await client.ExpectEndAsync();
            return refusal;
        }
    }

    [Fact]
    [Clause("MQTT-3.1.2-24")]
    public async Task Whoever_takes_no_packet_as_large_as_a_refusal_gets_none()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 05 | 02 | 00 00 | { 15 'm' | 27 00 00 00 04 } | 'c' }");
        await client.ExpectEndAsync();
    }

    [Fact]
    [Clause("MQTT-3.14.2-3")]
    public async Task Why_a_connection_ends_is_said_in_words_only_where_the_client_takes_a_packet_as_large()
    {
        await using var broker = await TestBroker.StartAsync();
        var inWords = await FarewellAsync("");
        Assert.Equal((0x82, 0x1F), (inWords[2], inWords[4]));
        Assert.Equal(inWords, await FarewellAsync($"27 00 00 00 {inWords.Length:X2}"));
        Assert.Equal(Bytes.Of("E0 01 82"), await FarewellAsync($"27 00 00 00 {inWords.Length - 1:X2}"));

        async Task<byte[]> FarewellAsync(string properties)
        {
            await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", $"17 01 {properties}");
            await client.SendAsync("30 { 'a' { 0B 01 } }");
            var farewell = await client.ReadPacketAsync();
            await client.ExpectEndAsync();
            return farewell;
        }
    }

    [Fact]
    [Clause("MQTT-3.1.4-6")]
    public async Task What_comes_behind_a_connect_that_is_refused_is_not_heard()
    {
        await using var broker = await TestBroker.StartAsync();
        await using (var refused = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await refused.SendAsync("10 { 'MQTT' 05 | 02 | 00 00 | { 15 'm' } | 'c' } | 31 { 'a' {} \"x\" }");
            await refused.ExpectAsync("20 03 00 8C 00");
            await refused.ExpectEndAsync();
        }
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "d");
        await client.SendAsync("82 { 00 01 | '#' 00 }");
        await client.ExpectAsync("90 03 00 01 00");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-23", "MQTT-4.1.0-1", "MQTT-4.1.0-2")]
    public async Task A_session_lasts_while_its_client_is_here_and_ends_in_its_time_afterwards()
    {
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time });
        await using (var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 05"))
        {
            for (var passed = 0; passed < 60; passed += 3) // Much longer than its session is kept.
            {
                time.Advance(TimeSpan.FromSeconds(3));
                await client.ExpectNothingAsync();
            }
        }
        await using (await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 05", clean: false, expectSession: true))
            Assert.Equal(1, broker.Statistics.Sessions);
        await time.PassUntilAsync(() => broker.Statistics.Sessions == 0, () => $"{broker.Statistics}");
        await using var late = await RawClient.Connect5Async(broker.EndPoints[0], "c", clean: false);
    }

    [Theory]
    [InlineData("06", "")]
    [InlineData("26", "31 { 'will' { 26 'k' 'v' | 26 'a' 'b' | 26 'k' 'w' } \"gone\" }")]
    [Clause("MQTT-3.1.2-14", "MQTT-3.1.2-15", "MQTT-3.1.3-10")]
    public async Task A_will_is_kept_only_where_that_is_asked_for_and_its_properties_keep_their_order(string flags, string kept)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var watcher = await RawClient.Connect5Async(broker.EndPoints[0], "w");
        await watcher.SendAsync("82 { 00 01 {} | 'will' 00 }");
        await watcher.ExpectAsync("90 { 00 01 {} 00 }");
        await using (var client = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await client.SendAsync($"10 {{ 'MQTT' 05 | {flags} | 00 3C | {{}} | 'c' | {{ 26 'k' 'v' | 26 'a' 'b' | 26 'k' 'w' }} 'will' 'gone' }}");
            await client.ReadPacketAsync();
        }
        await watcher.ExpectAsync("30 { 'will' { 26 'k' 'v' | 26 'a' 'b' | 26 'k' 'w' } \"gone\" }");
        await watcher.SendAsync("82 { 00 02 {} | 'will' 00 }");
        await watcher.ExpectAsync($"90 {{ 00 02 {{}} 00 }} {kept}");
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-6.0.0-2", "MQTT-6.0.0-4")]
    public async Task A_web_socket_frame_holds_a_part_of_a_packet_or_many()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Listeners = [TestBroker.Loopback with { IsWebSocket = true }] });
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await socket.ConnectAsync(new Uri($"ws://{broker.EndPoints[0]}/mqtt"), TestContext.Current.CancellationToken);
        Assert.Equal("mqtt", socket.SubProtocol);
        var bytes = Bytes.Of("10 { 'MQTT' 04 | 02 | 00 00 | 'c' } | C0 00 | C0 00 | C0 00");
        foreach (var frame in new[] { bytes[..1], bytes[1..5], bytes[5..^5], bytes[^5..] }) // The third has the end of CONNECT and the beginning of PINGREQ.
            await socket.SendAsync(frame, WebSocketMessageType.Binary, endOfMessage: true, TestContext.Current.CancellationToken);
        using var answers = new MemoryStream();
        var part = new byte[100];
        while (answers.Length < 10)
        {
            var received = await socket.ReceiveAsync(part, TestContext.Current.CancellationToken);
            Assert.Equal(WebSocketMessageType.Binary, received.MessageType);
            answers.Write(part, 0, received.Count);
        }
        Assert.Equal(Bytes.Of("20 02 00 00 | D0 00 | D0 00 | D0 00"), answers.ToArray());
    }
}
