using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clauses that brokers like to miss, in raw bytes.</summary>
public class StandardTests
{
    [Theory]
    [InlineData("10 { 'MQTT' 02 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQTT' 03 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQTT' 82 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQTT' 83 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQTT' 86 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQTT' FF | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQTT' 06 | 02 | 00 00 | {} | 'c' }", "20 03 00 84 00")]
    [InlineData("10 { 'MQTT' 7F | 02 | 00 00 | {} | 'c' }", "20 03 00 84 00")]
    [InlineData("10 { 'MQIsdp' 02 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQIsdp' 04 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQIsdp' 84 | 02 | 00 00 | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQIsdp' 05 | 02 | 00 00 | {} | 'c' }", "20 02 00 01")]
    [InlineData("10 { 'MQIsdp' 03 | 02 | 00 00 | '' }", "20 02 00 02")] // There has to be a name in 3.1.
    [InlineData("10 { 'MQIsdp' 03 | 1E | 00 00 | 'c' | 'w' '' }", "")]
    [InlineData("10 { 'MQTT' 84 | 03 | 00 00 | 'c' }", "")]
    [InlineData("10 { 'mqtt' 04 | 02 | 00 00 | 'c' }", "")]
    [InlineData("10 { 'MQTT' 05 | 02 | 00 00 | { 21 00 00 } | 'c' }", "20 03 00 82 00")]
    [InlineData("10 { 'MQTT' 05 | 02 | 00 00 | {} | 00 01 00 }", "20 03 00 81 00")]
    [InlineData("10 { 'MQTT' 05 | 02 | 00 00 | { 15 'm' } | 'c' }", "20 03 00 8C 00")]
    [InlineData("10 { 'MQTT' 04 | 03 | 00 00 | 'c' }", "")]
    [InlineData("10 { 'MQTU' 04 | 02 | 00 00 | 'c' }", "")]
    [InlineData("10 { 'MQTT' 05 | 02 | 00 00 | { 27 00 00 00 0A } | 'c' }", "")] // CONNACK is larger [MQTT-3.1.2-24].
    [Clause("MQTT-3.1.2-1", "MQTT-3.1.2-2", "MQTT-3.1.4-1", "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-3.14.0-1", "MQTT-4.12.0-1", "MQTT-4.13.2-1")]
    public async Task What_is_wrong_with_connect_is_answered_as_far_as_there_are_words_for_it(string connect, string answer)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(connect);
        await client.ExpectAsync(answer);
        await client.ExpectEndAsync();
    }

    [Theory]
    [InlineData("17 01", "E0 { 82 { 1F 'a subscription identifier from a client' } }")]
    [InlineData("", "E0 01 82")]
    [Clause("MQTT-3.3.4-6")]
    public async Task The_reason_is_said_in_words_to_whoever_asks_for_it(string properties, string farewell)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", properties);
        await client.SendAsync("30 { 'a' { 0B 01 } \"x\" }"); // [MQTT-3.3.4-6]
        await client.ExpectAsync(farewell);
        await client.ExpectEndAsync();
    }

    [Theory]
    [InlineData("82", "00", "90")]
    [InlineData("A2", "", "B0")]
    [Clause("MQTT-3.1.2-24")]
    public async Task An_answer_larger_than_the_client_takes_is_not_sent(string request, string options, string answer)
    {
        const int size = 127;
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c", $"27 00 00 00 {size:X2}");
        string Filters(int count) => string.Join(" | ", Enumerable.Repeat($"'a' {options}", count));
        await client.SendAsync($"{request} {{ 00 01 {{}} | {Filters(size - 5)} }}");
        var taken = await client.ReadPacketAsync();
        Assert.Equal((Convert.ToByte(answer, 16), size), (taken[0], taken.Length));
        await client.SendAsync($"{request} {{ 00 02 {{}} | {Filters(size - 4)} }}"); // [MQTT-3.1.2-24]
        await client.ExpectAsync("E0 01 95");
        await client.ExpectEndAsync();
    }

    [Fact]
    [Clause("MQTT-3.3.4-7")]
    public async Task What_is_not_released_counts_against_a_strict_receive_maximum()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { ReceiveMaximum = 2, IsReceiveMaximumStrict = true } });
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("34 { 'a' 00 01 {} } | 34 { 'a' 00 02 {} }");
        await client.ExpectAsync("50 02 00 01 | 50 02 00 02");
        await client.SendAsync("62 02 00 01");
        await client.ExpectAsync("70 02 00 01");
        await client.SendAsync("34 { 'a' 00 03 {} }");
        await client.ExpectAsync("50 02 00 03");
        await client.SendAsync("34 { 'a' 00 04 {} }"); // [MQTT-3.3.4-7]
        await client.ExpectAsync("E0 01 93");
        await client.ExpectEndAsync();
    }

    [Theory]
    [InlineData(3_000_000)]
    [InlineData(20_000_000)]
    public async Task Why_a_packet_is_too_large_reaches_a_client_that_goes_on_sending_it(int size)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        byte[] header = [0x30, (byte)(size | 0x80), (byte)((size >> 7) | 0x80), (byte)((size >> 14) | 0x80), (byte)(size >> 21)];
        await client.SendAsync((byte[])[.. header, .. new byte[size]]);
        await client.ExpectAsync("E0 01 95");
        await client.ExpectEndAsync();
    }

    [Theory]
    [InlineData("E0 00", false)]
    [InlineData("E0 01 00", false)]
    [InlineData("E0 01 04", true)]
    [InlineData("E0 01 80", true)] // [MQTT-3.1.2-10]
    [InlineData("E0 { 00 { 11 00 00 00 01 } }", true)] // A session that is to live on after all is a protocol error [MQTT-5.0, 3.14.2.2.2].
    [Clause("MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.14.4-3")]
    public async Task Only_a_normal_disconnection_takes_the_will_away(string disconnect, bool isPublished)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "w");
        await watcher.SendAsync("82 { 00 01 | 'will' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 05 | 06 | 00 00 | {} | 'c' | {} 'will' | 'gone' }");
        await client.ReadPacketAsync();
        await client.SendAsync(disconnect);
        await client.ReadToEndAsync();
        if (isPublished)
            await watcher.ExpectAsync("30 { 'will' \"gone\" }");
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-8", "MQTT-3.1.3-9")]
    public async Task The_will_waits_for_its_delay_and_not_beyond_the_session_and_a_client_that_is_back_in_time_has_none()
    {
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time });
        await using var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "w");
        await watcher.SendAsync("82 { 00 01 | 'will/#' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        await LeaveAsync(broker, "back", "11 00 00 00 3C", "18 00 00 00 05");
        await LeaveAsync(broker, "gone", "11 00 00 00 3C", "18 00 00 00 05");
        await LeaveAsync(broker, "over", "11 00 00 00 02", "18 00 00 00 3C");
        await using var back = await RawClient.Connect5Async(broker.EndPoints[0], "back", "11 00 00 00 3C", clean: false, expectSession: true);
        await watcher.ExpectNothingAsync();
        await PassAsync(time, watcher.ExpectAsync("30 { 'will/over' \"x\" }")); // [MQTT-3.1.3-9]
        await PassAsync(time, watcher.ExpectAsync("30 { 'will/gone' \"x\" }"));
        await watcher.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("80")]
    [InlineData("91")]
    [InlineData("97")]
    [InlineData("99")]
    [Clause("MQTT-4.3.3-4", "MQTT-4.4.0-2")]
    public async Task A_pubrec_that_refuses_is_answered_by_nothing_whether_its_identifier_is_known_or_not(string reason)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 {} | 'a' 02 } | 34 { 'a' 00 07 {} }");
        await client.ExpectAsync("90 { 00 01 {} 02 }");
        byte[][] answers = [await client.ReadPacketAsync(), await client.ReadPacketAsync()];
        Assert.Equal([0x34, 0x50], answers.Select(answer => (int)answer[0]).Order());
        await client.SendAsync($"50 03 00 05 {reason} | 50 03 00 01 {reason} | 50 03 00 01 {reason}"); // [MQTT-4.3.3-4]
        await client.ExpectNothingAsync();
        await client.SendAsync("50 03 00 05 10 | 50 02 00 05"); // Not known either, but it does not refuse.
        await client.ExpectAsync("62 03 00 05 92 | 62 03 00 05 92");
    }

    [Theory]
    [InlineData(1, "32", "50 02 00 01")]
    [InlineData(1, "32", "70 02 00 01")]
    [InlineData(2, "34", "40 02 00 01")]
    [InlineData(2, "34", "70 02 00 01")]
    public async Task An_answer_of_another_qos_is_a_protocol_error(int qos, string publish, string answer)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync($"82 {{ 00 01 {{}} | 'a' 0{qos} }}");
        await client.ExpectAsync($"90 {{ 00 01 {{}} 0{qos} }}");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("34 { 'a' 00 07 }");
        await client.ExpectAsync($"{publish} {{ 'a' 00 01 {{}} }}");
        await client.SendAsync("40 02 12 34 | 70 02 12 34"); // Of messages that nobody knows any more: no harm.
        await client.ExpectNothingAsync();
        await client.SendAsync(answer);
        await client.ExpectAsync("E0 01 82");
        await client.ExpectEndAsync();
    }

    [Fact]
    [Clause("MQTT-2.2.1-6", "MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.8.4-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.10.4-6", "MQTT-3.11.3-1")]
    public async Task Retained_messages_come_after_suback_as_retain_handling_says()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("33 { 'a' 00 01 {} \"x\" }");
        await client.ExpectAsync("40 02 00 01");
        for (var round = 0; round < 200; round++) // In whatever moment the writer happens to look.
        {
            await AskAsync("82 { 00 02 {} | 'a' 00 }", "90 { 00 02 {} 00 } | 31 { 'a' {} \"x\" }");
            await AskAsync("82 { 00 03 {} | 'a' 10 }", "90 { 00 03 {} 00 }");
            await AskAsync("82 { 00 04 {} | 'a' 00 }", "90 { 00 04 {} 00 } | 31 { 'a' {} \"x\" }");
            await AskAsync("A2 { 00 05 {} 'a' }", "B0 { 00 05 {} 00 }");
            await AskAsync("82 { 00 06 {} | 'a' 20 }", "90 { 00 06 {} 00 }");
            await AskAsync("A2 { 00 07 {} 'a' }", "B0 { 00 07 {} 00 }");
            await AskAsync("82 { 00 08 {} | 'a' 10 }", "90 { 00 08 {} 00 } | 31 { 'a' {} \"x\" }");
            await AskAsync("82 { 00 09 {} | '$share/g/a' 00 }", "90 { 00 09 {} 00 }"); // Shared ones get none [MQTT-5.0, 4.8.2].
            await AskAsync("A2 { 00 0A {} 'a' '$share/g/a' 'b' }", "B0 { 00 0A {} 00 00 11 }");
        }
        await client.ExpectNothingAsync();

        async Task AskAsync(string question, string answer)
        {
            await client.SendAsync(question);
            await client.ExpectAsync(answer);
        }
    }

    [Fact]
    [Clause("MQTT-3.1.2-27", "MQTT-3.3.1-3", "MQTT-3.3.1-12", "MQTT-3.3.1-13")]
    public async Task The_retain_flag_goes_as_published_where_that_is_asked_for_and_dup_never()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 {} | 'a' 09 | 'b' 01 }");
        await client.ExpectAsync("90 { 00 01 {} 01 01 }");
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("3B { 'a' 00 01 \"x\" } | 3B { 'b' 00 02 \"x\" } | 31 { 'a' } | 3A { 'b' 00 03 \"y\" }");
        await client.ExpectAsync("33 { 'a' 00 01 {} \"x\" } | 32 { 'b' 00 02 {} \"x\" } | 31 { 'a' {} } | 32 { 'b' 00 03 {} \"y\" }"); // [MQTT-3.3.1-3], [MQTT-3.3.1-12]
    }

    [Fact]
    [Clause("MQTT-3.1.2-23", "MQTT-3.3.2-5", "MQTT-3.3.2-6")]
    public async Task Expiry_is_counted_down_and_what_has_expired_does_not_come()
    {
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(options => options with { Time = time });
        await using (var away = await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 3C"))
        {
            await away.SendAsync("82 { 00 01 {} | 'a' 01 } | E0 00");
            await away.ExpectAsync("90 { 00 01 {} 01 }");
            await away.ExpectEndAsync();
        }
        await using var publisher = await RawClient.Connect5Async(broker.EndPoints[0], "p");
        await publisher.SendAsync("32 { 'a' 00 01 { 02 00 00 00 05 } \"soon\" } | 32 { 'a' 00 02 { 02 00 00 00 3C } \"late\" }");
        await publisher.ExpectAsync("40 02 00 01 | 40 02 00 02");
        time.Advance(TimeSpan.FromSeconds(10));
        await using var back = await RawClient.Connect5Async(broker.EndPoints[0], "c", "11 00 00 00 3C", clean: false, expectSession: true);
        await back.ExpectAsync("32 { 'a' 00 02 { 02 00 00 00 32 } \"late\" }"); // [MQTT-3.3.2-5], [MQTT-3.3.2-6]
        await back.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-4.3.3-10", "MQTT-4.3.3-11", "MQTT-4.3.3-12")]
    public async Task An_unknown_pubrel_is_answered_as_not_found_and_a_repeated_publish_at_qos_2_goes_once()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("82 { 00 01 {} | 'a' 00 } | 62 02 00 05 | 34 { 'a' 00 06 {} \"x\" } | 3C { 'a' 00 06 {} \"x\" } | 62 02 00 06 | 34 { 'a' 00 06 {} \"y\" }");
        await client.ExpectAsync("90 { 00 01 {} 00 }");
        var answers = new List<string>();
        for (var i = 0; i < 7; i++)
            answers.Add(Convert.ToHexString(await client.ReadPacketAsync()));
        Assert.Equal(["7003000592", "50020006", "50020006", "70020006", "50020006"], answers.Where(answer => answer[0] != '3'));
        Assert.Equal([Convert.ToHexString(Bytes.Of("30 { 'a' {} \"x\" }")), Convert.ToHexString(Bytes.Of("30 { 'a' {} \"y\" }"))], answers.Where(answer => answer[0] == '3'));
    }

    private static async Task LeaveAsync(MqttBroker broker, string clientId, string properties, string willProperties)
    {
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync($"10 {{ 'MQTT' 05 | 06 | 00 00 | {{ {properties} }} | '{clientId}' | {{ {willProperties} }} 'will/{clientId}' | 'x' }}");
        await client.ReadPacketAsync();
        await client.SendAsync("E0 01 04");
        await client.ExpectEndAsync();
    }

    private static async Task PassAsync(FakeTimeProvider time, Task awaited)
    {
        await time.PassUntilAsync(() => awaited.IsCompleted, () => "what was to come as time passes did not come");
        await awaited;
    }
}
