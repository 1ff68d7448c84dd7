using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>MQTT 3.1, and bridges of other brokers, in raw bytes.</summary>
public class OldVersionTests
{
    [Theory]
    [InlineData("10 { 'MQIsdp' 03 | 02 | 00 00 | 'c' }")]
    [InlineData("10 { 'MQIsdp' 03 | 02 | 00 00 | 'a name of more than twenty-three characters' }")]
    [InlineData("10 { 'MQIsdp' 03 | 03 | 00 00 | 'c' }")] // Flags that 3.1 does not use.
    [InlineData("10 { 'MQIsdp' 03 | 3A | 00 00 | 'c' }")]
    [InlineData("10 { 'MQIsdp' 03 | C2 | 00 00 | 'c' }")] // Names that are flagged and missing: the length counts more.
    [InlineData("10 { 'MQIsdp' 03 | C2 | 00 00 | 'c' 'user' }")]
    [InlineData("10 { 'MQIsdp' 03 | C2 | 00 00 | 'c' 'user' 'secret' }")]
    [InlineData("10 { 'MQIsdp' 83 | 02 | 00 00 | 'c' }")]
    [InlineData("10 { 'MQTT' 84 | 02 | 00 00 | 'c' }")]
    public async Task A_client_of_3_1_or_a_bridge_is_served(string connect)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(connect);
        await client.ExpectAsync("20 02 00 00");
        await client.SendAsync("82 { 00 01 | 'b' 02 }");
        await client.ExpectAsync("90 03 00 01 02");
        await client.SendAsync("30 { 'a' \"x\" } | 32 { 'a' 00 02 \"x\" } | 34 { 'a' 00 03 \"x\" }");
        await client.ExpectAsync("40 02 00 02 | 50 02 00 03");
        await client.SendAsync("62 02 00 03");
        await client.ExpectAsync("70 02 00 03");
        await client.SendAsync("A2 { 00 04 | 'b' }");
        await client.ExpectAsync("B0 02 00 04");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_client_of_3_1_may_send_again_with_dup_what_is_no_publish()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await ConnectAsync(broker, "'MQIsdp' 03", "c");
        await client.SendAsync("8A { 00 01 | 'a' F9 }"); // Reserved bits of the options as well.
        await client.ExpectAsync("90 03 00 01 01");
        await client.SendAsync("38 { 'b' \"x\" } | 34 { 'b' 00 02 \"x\" }");
        await client.ExpectAsync("50 02 00 02");
        await client.SendAsync("62 02 00 02 | 6A 02 00 02");
        await client.ExpectAsync("70 02 00 02 | 70 02 00 02");
        await client.SendAsync("AA { 00 03 | 'a' }");
        await client.ExpectAsync("B0 02 00 03");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_session_of_3_1_goes_on_and_its_connack_says_nothing_of_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await using (var client = await ConnectAsync(broker, "'MQIsdp' 03", "c", "00"))
        {
            await client.SendAsync("82 { 00 01 | 'a' 01 } | E0 00");
            await client.ExpectAsync("90 03 00 01 01");
            await client.ExpectEndAsync();
        }
        await using var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p");
        await publisher.SendAsync("32 { 'a' 00 01 \"x\" }");
        await publisher.ExpectAsync("40 02 00 01");
        await using var back = await ConnectAsync(broker, "'MQIsdp' 03", "c", "00"); // The byte is reserved there.
        await back.ExpectAsync("32 { 'a' 00 01 \"x\" }");
    }

    [Theory]
    [InlineData("'MQTT' 84")]
    [InlineData("'MQIsdp' 83")]
    public async Task A_bridge_gets_retain_as_published_and_nothing_back_of_what_it_sends(string protocol)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var bridge = await ConnectAsync(broker, protocol, "bridge");
        await bridge.SendAsync("82 { 00 01 | '#' 02 | '$share/g/s' 01 }");
        await bridge.ExpectAsync("90 04 00 01 02 01");
        await bridge.SendAsync("31 { 'a' \"x\" } | 32 { 'a' 00 02 \"x\" } | 34 { 'a' 00 03 \"x\" }");
        await bridge.ExpectAsync("40 02 00 02 | 50 02 00 03");
        await bridge.ExpectNothingAsync();
        await using var other = await RawClient.ConnectAsync(broker.EndPoints[0], "other");
        await other.SendAsync("31 { 'a' \"1\" } | 30 { 'a' \"2\" } | 33 { 'a' 00 01 \"3\" }");
        await bridge.ExpectAsync("31 { 'a' \"1\" } | 30 { 'a' \"2\" } | 33 { 'a' 00 01 \"3\" }");
    }

    [Theory]
    [InlineData("'MQTT' 04")]
    [InlineData("'MQIsdp' 03")]
    public async Task A_client_that_is_no_bridge_gets_its_own_messages_without_retain(string protocol)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await ConnectAsync(broker, protocol, "c");
        await client.SendAsync("82 { 00 01 | '#' 00 }");
        await client.ExpectAsync("90 03 00 01 00");
        await client.SendAsync("31 { 'a' \"x\" }");
        await client.ExpectAsync("30 { 'a' \"x\" }");
    }

    [Theory]
    [InlineData("'MQTT' 84", "bridge", "")]
    [InlineData("'MQTT' 04", "bridge", "")]
    [InlineData("'MQIsdp' 83", "vm/with.levels", "")]
    [InlineData("'MQTT' 05", "bridge", "{}")]
    public async Task A_bridge_says_below_sys_whether_it_is_connected(string protocol, string id, string properties)
    {
        await using var broker = await TestBroker.StartAsync(options => options with
        {
            // Nothing else is allowed to it.
            Authenticate = (login, _) => ValueTask.FromResult(LoginAnswer.Accept(new(_ => false, _ => login.ClientId == "watcher"))),
        });
        var state = $"'$SYS/broker/connection/{id}/state'";
        await using var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "watcher");
        await watcher.SendAsync("82 { 00 01 | '$SYS/broker/connection/#' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        await using (var bridge = await RawClient.OpenAsync(broker.EndPoints[0]))
        {
            await bridge.SendAsync($"10 {{ {protocol} | 2E | 00 3C | {properties} '{id}' | {properties} {state} '0' }}");
            Assert.Equal(0, (await bridge.ReadPacketAsync())[3]);
            await bridge.SendAsync($"33 {{ {state} 00 01 {properties} \"1\" }}");
            await bridge.ExpectAsync("40 02 00 01");
            await watcher.ExpectAsync($"30 {{ {state} \"1\" }}");
        }
        await watcher.ExpectAsync($"30 {{ {state} \"0\" }}");
        await watcher.SendAsync($"82 {{ 00 02 | {state} 00 }}");
        await watcher.ExpectAsync($"90 03 00 02 00 | 31 {{ {state} \"0\" }}");
    }

    [Theory]
    [InlineData("$SYS/broker/connection/other/state")]
    [InlineData("$SYS/broker/connection//state")]
    [InlineData("$SYS/broker/connection/state")]
    [InlineData("$SYS/broker/connection/bridge/state/x")]
    [InlineData("$SYS/broker/connection/bridge/version")]
    [InlineData("$SYS/broker/version")]
    public async Task A_bridge_says_nothing_else_below_sys(string topic)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var refused = await RawClient.OpenAsync(broker.EndPoints[0]);
        await refused.SendAsync($"10 {{ 'MQTT' 84 | 2E | 00 3C | 'bridge' | '{topic}' '0' }}");
        await refused.ExpectAsync("20 02 00 05");
        await using var bridge = await ConnectAsync(broker, "'MQTT' 84", "bridge");
        await using var watcher = await RawClient.ConnectAsync(broker.EndPoints[0], "watcher");
        await watcher.SendAsync("82 { 00 01 | '$SYS/#' 00 }");
        await watcher.ExpectAsync("90 03 00 01 00");
        await bridge.SendAsync($"33 {{ '{topic}' 00 01 \"1\" }}");
        await bridge.ExpectAsync("40 02 00 01");
        await watcher.ExpectNothingAsync();
    }

    private static async Task<RawClient> ConnectAsync(MqttBroker broker, string protocol, string id, string flags = "02")
    {
        var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync($"10 {{ {protocol} | {flags} | 00 00 | '{id}' }}");
        await client.ExpectAsync("20 02 00 00");
        return client;
    }
}
