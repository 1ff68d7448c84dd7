using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Tests.Wire;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>A server that breaks the rules is told so, where there are words for it, and is connected to again.</summary>
public class ClientHostileTests
{
    private const string Accepts = "20 { 00 00 {} }";

    public static TheoryData<PacketRow> Malformed => [.. PacketTable.Malformed.Where(row => row.Version != ProtocolVersion.V31)];

    public static TheoryData<PacketRow> ForClientsOnly => [.. PacketTable.Valid.Where(row => row.Version != ProtocolVersion.V31 && !MayComeFromServer(row))];

    [Theory, MemberData(nameof(Malformed), DisableDiscoveryEnumeration = true)]
    public Task What_is_malformed_ends_the_connection_and_not_the_client(PacketRow row) => EndsAsync(row);

    [Theory, MemberData(nameof(ForClientsOnly), DisableDiscoveryEnumeration = true)]
    public Task What_only_clients_send_ends_the_connection_and_not_the_client(PacketRow row) => EndsAsync(row);

    [Theory, MemberData(nameof(Malformed), DisableDiscoveryEnumeration = true)]
    public async Task What_comes_instead_of_connack_ends_the_attempt_and_not_the_client(PacketRow row)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { Version = row.Version, MaximumPacketSize = 1 << 20 });
        await using (var connection = await server.AcceptAsync())
        {
            await connection.ReadPacketAsync();
            await connection.SendAsync(row.Bytes);
            await connection.ReadToEndAsync();
        }
        var failure = await client.FailsAsync(failure => !failure.WasConnected);
        Assert.True(failure.Answer is not null || failure.IsVersionInDoubt, failure.Message); // The latter where it looks like an answer of 3.1.1.
        Assert.False(client.Running.IsCompleted);
    }

    [Theory]
    [InlineData("a session that was to begin anew", "20 { 01 00 {} }")]
    [InlineData("another packet", "D0 00")]
    [InlineData("a message", "30 { 'a' {} }")]
    [Clause("MQTT-3.2.0-1", "MQTT-3.2.2-2", "MQTT-3.2.2-4")]
    public async Task A_wrong_answer_to_connect_ends_the_attempt(string what, string answer)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(answer);
        Assert.True((await client.FailsAsync(_ => true)).Answer is ReasonCode.ProtocolError, what);
        await using var next = await server.AcceptAsync(Accepts);
    }

    [Theory]
    [InlineData("CONNACK again", Accepts, ReasonCode.ProtocolError)]
    [InlineData("alias 0", "30 { 'a' { 23 00 00 } }", ReasonCode.TopicAliasInvalid)]
    [InlineData("an alias above the maximum", "30 { 'a' { 23 00 03 } }", ReasonCode.TopicAliasInvalid)]
    [InlineData("an alias that stands for nothing", "30 { '' { 23 00 02 } }", ReasonCode.ProtocolError)]
    [InlineData("a packet above Maximum Packet Size", "30 81 20", ReasonCode.PacketTooLarge)]
    [InlineData("more than Receive Maximum", "32 { 'a' 00 01 {} } | 34 { 'a' 00 02 {} } | 32 { 'a' 00 03 {} }", ReasonCode.ReceiveMaximumExceeded)]
    [InlineData("AUTH", "F0 00", ReasonCode.ProtocolError)]
    [InlineData("a length of five bytes", "30 80 80 80 80 01", ReasonCode.MalformedPacket)]
    [Clause("MQTT-3.2.0-2", "MQTT-3.3.2-8", "MQTT-3.3.4-9")]
    public async Task A_broken_rule_is_answered_with_its_reason(string what, string bytes, ReasonCode reason)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { TopicAliasMaximum = 2, ReceiveMaximum = 2, MaximumPacketSize = 4096 });
        await using (var connection = await server.AcceptAsync(Accepts))
        {
            await connection.SendAsync(bytes);
            await connection.ExpectAsync($"E0 01 {(byte)reason:X2}");
            await connection.ExpectEndAsync();
        }
        Assert.True((await client.FailsAsync(failure => failure.WasConnected)).Answer == reason, what);
        await using var next = await server.AcceptAsync(Accepts);
    }

    [Theory]
    [InlineData("too few codes", "90 { 00 01 {} | 00 }")]
    [InlineData("too many codes", "90 { 00 01 {} | 00 00 00 }")]
    [InlineData("the answer to UNSUBSCRIBE", "B0 { 00 01 {} | 00 00 }")]
    [Clause("MQTT-3.8.4-6")]
    public async Task A_wrong_answer_to_subscribe_ends_the_connection_and_it_is_asked_again(string what, string answer)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        var subscribing = client.Client.SubscribeAsync([new SubscriptionRequest("a", 1), new SubscriptionRequest("b", 1)], cancellationToken: TestContext.Current.CancellationToken);
        await using (var connection = await server.AcceptAsync(Accepts))
        {
            Assert.Equal(0x82, (await connection.ReadPacketAsync())[0]);
            await connection.SendAsync(answer);
            await connection.ExpectAsync("E0 01 82");
        }
        await using var next = await server.AcceptAsync(Accepts);
        var again = await next.ReadPacketAsync();
        await next.SendAsync($"90 {{ {again[2]:X2} {again[3]:X2} {{}} | 01 00 }}");
        Assert.True((await subscribing).SequenceEqual([ReasonCode.GrantedQos1, ReasonCode.Success]), what);
    }

    [Theory]
    [InlineData("PUBACK", "40 02 00 63")]
    [InlineData("PUBCOMP", "70 02 00 63")]
    [InlineData("SUBACK", "90 { 00 63 {} | 00 }")]
    [InlineData("UNSUBACK", "B0 { 00 63 {} | 00 }")]
    [InlineData("PINGRESP", "D0 00")]
    public async Task An_answer_that_nobody_has_asked_for_is_ignored(string what, string bytes)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(Accepts);
        await connection.SendAsync(bytes + " | 30 { 'a' {} | \"1\" }");
        Assert.True(await client.ReadTextAsync() == "a 0 1", what);
    }

    [Fact]
    public async Task A_pubrec_or_pubrel_that_nobody_has_asked_for_is_answered_as_not_found()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(Accepts);
        await connection.SendAsync("50 02 00 63");
        await connection.ExpectAsync("62 03 00 63 92");
        await connection.SendAsync("62 02 00 63");
        client.Client.Complete([await client.ReadAsync()]);
        await connection.ExpectAsync("70 03 00 63 92");
    }

    [Theory]
    [InlineData("PUBACK at QoS 2", 2, "40 02 00 01")]
    [InlineData("PUBREC at QoS 1", 1, "50 02 00 01")]
    [InlineData("PUBCOMP before PUBREC", 2, "70 02 00 01")]
    [Clause("MQTT-4.3.2-3", "MQTT-4.3.3-3")]
    public async Task A_wrong_answer_to_publish_ends_the_connection_and_it_is_sent_again(string what, int qos, string answer)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        _ = client.PublishAsync("a", qos: qos);
        await using (var connection = await server.AcceptAsync(Accepts))
        {
            await connection.ReadPacketAsync();
            await connection.SendAsync(answer);
            await connection.ExpectAsync("E0 01 82");
        }
        await using var next = await server.AcceptAsync(Accepts);
        Assert.True((await next.ReadPacketAsync())[0] == 0x30 + (2 * qos), what);
        await next.SendAsync(qos == 1 ? "40 02 00 01" : "50 03 00 01 97");
    }

    [Fact]
    public async Task What_a_server_announces_takes_no_memory_before_it_comes()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(Accepts);
        await client.PublishAsync("ready", qos: 0);
        await connection.ReadPacketAsync();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await connection.SendAsync("30 FF FF FF 7F | 'a'");
        await client.PublishAsync("still there", qos: 0);
        await connection.ReadPacketAsync();
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 4 << 20);
    }

    [Fact]
    public async Task Disconnect_of_the_server_is_said_with_its_reason_and_a_session_that_was_taken_over_is_not_taken_back()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using (var connection = await server.AcceptAsync(Accepts))
        {
            await connection.SendAsync("E0 { 8B { 1F 'good night' } }");
            Assert.Equal("it ended the connection (ServerShuttingDown: good night)", (await client.FailsAsync(failure => failure.WasConnected)).Message);
        }
        await using var again = await server.AcceptAsync(Accepts);
        await again.SendAsync("E0 01 8E");
        Assert.Equal(ReasonCode.SessionTakenOver, (await Assert.ThrowsAsync<MqttClientException>(() => client.Running)).Reason);
    }

    private static async Task EndsAsync(PacketRow row)
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { Version = row.Version, MaximumPacketSize = 1 << 20 });
        await using (var connection = await server.AcceptAsync(AcceptanceIn(row.Version)))
        {
            await connection.SendAsync(row.Bytes);
            await connection.ReadToEndAsync();
        }
        Assert.NotNull((await client.FailsAsync(failure => failure.WasConnected)).Answer);
        Assert.False(client.Running.IsCompleted);
    }

    private static string AcceptanceIn(ProtocolVersion version) => version == ProtocolVersion.V5 ? Accepts : "20 02 00 00";

    private static bool MayComeFromServer(PacketRow row)
    {
        var type = (PacketType)(row.Bytes[0] >> 4);
        return type is PacketType.Publish or PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp or PacketType.SubAck or PacketType.UnsubAck
            or PacketType.PingResp || (type == PacketType.Disconnect && row.Version == ProtocolVersion.V5);
    }
}
