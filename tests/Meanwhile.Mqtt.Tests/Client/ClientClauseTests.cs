using System.Text;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>Clauses of the standard that bind clients, in raw bytes.</summary>
public class ClientClauseTests
{
    [Fact]
    [Clause("MQTT-6.0.0-3")]
    public async Task A_web_socket_offers_the_subprotocol_mqtt()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(new UriBuilder(server.Address) { Scheme = "ws", Path = "/mqtt" }.Uri);
        await using var connection = await server.AcceptAsync();
        using var reader = new StreamReader(connection.Stream, Encoding.ASCII, leaveOpen: true);
        List<string> header = [];
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line)
            header.Add(line);
        Assert.Contains("Sec-WebSocket-Protocol: mqtt", header, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    [Clause("MQTT-3.3.2-7")]
    public async Task Topic_aliases_live_as_long_as_a_connection()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { SessionExpiry = 60, TopicAliasMaximum = 2 });
        await using (var connection = await server.AcceptAsync("20 { 00 00 { 22 00 01 } }"))
        {
            await client.PublishAsync("a", qos: 0);
            await client.PublishAsync("a", qos: 0);
            await connection.ExpectAsync("30 { 'a' { 23 00 01 } } | 30 { '' { 23 00 01 } }");
            await connection.SendAsync("30 { 'b' { 23 00 02 } | \"1\" } | 30 { '' { 23 00 02 } | \"2\" }");
            Assert.Equal(("b 0 1", "b 0 2"), (await client.ReadTextAsync(), await client.ReadTextAsync()));
        }
        await using var next = await server.AcceptAsync("20 { 01 00 { 22 00 01 } }");
        var publishing = client.PublishAsync("a");
        await next.ExpectAsync("32 { 'a' 00 01 { 23 00 01 } }");
        await next.SendAsync("40 02 00 01 | 30 { '' { 23 00 02 } | \"3\" }");
        await publishing;
        await next.ExpectAsync("E0 01 82");
    }

    [Fact]
    [Clause("MQTT-3.3.4-8", "MQTT-4.9.0-3")]
    public async Task What_is_no_message_does_not_wait_for_the_receive_maximum()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync("20 { 00 00 { 21 00 01 } }");
        var first = client.PublishAsync("a", "1");
        await connection.ExpectAsync("32 { 'a' 00 01 {} | \"1\" }");
        var second = client.PublishAsync("a", "2");
        var subscribing = client.SubscribeAsync("b");
        var request = await connection.ReadPacketAsync();
        Assert.Equal(0x82, request[0]);
        await connection.SendAsync($"90 {{ {request[2]:X2} {request[3]:X2} {{}} | 02 }}");
        Assert.Equal(ReasonCode.GrantedQos2, await subscribing);
        await connection.SendAsync("40 02 00 01");
        var late = await connection.ReadPacketAsync();
        Assert.Equal(0x32, late[0]);
        await connection.SendAsync(new byte[] { 0x40, 2, late[5], late[6] });
        Assert.Equal([ReasonCode.Success, ReasonCode.Success], await Task.WhenAll(first, second));
    }

    [Fact]
    [Clause("MQTT-4.6.0-4", "MQTT-4.3.3-4")]
    public async Task Pubrels_go_out_in_the_order_of_the_pubrecs()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        var publishing = Enumerable.Range(1, 3).Select(number => client.PublishAsync("a", $"{number}", qos: 2)).ToList();
        await using var connection = await server.AcceptAsync("20 { 00 00 {} }");
        await connection.ExpectAsync("34 { 'a' 00 01 {} | \"1\" } | 34 { 'a' 00 02 {} | \"2\" } | 34 { 'a' 00 03 {} | \"3\" }");
        await connection.SendAsync("50 02 00 02 | 50 02 00 03 | 50 02 00 01");
        await connection.ExpectAsync("62 02 00 02 | 62 02 00 03 | 62 02 00 01");
        await connection.SendAsync("70 02 00 02 | 70 02 00 03 | 70 02 00 01");
        Assert.All(await Task.WhenAll(publishing), reason => Assert.Equal(ReasonCode.Success, reason));
    }

    [Fact]
    [Clause("MQTT-4.7.3-3")]
    public async Task A_topic_of_65535_bytes_is_sent_and_a_longer_one_is_not()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync("20 { 00 00 {} }");
        var longest = new string('é', 32_767) + "x"; // Two bytes each.
        await Assert.ThrowsAsync<ArgumentException>(() => client.PublishAsync(longest + "x", qos: 0));
        await Assert.ThrowsAsync<ArgumentException>(() => client.SubscribeAsync(longest + "x"));
        await client.PublishAsync(longest, qos: 0);
        await connection.ExpectAsync($"30 {{ '{longest}' {{}} }}");
    }
}
