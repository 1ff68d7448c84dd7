using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>How a client begins and ends, whatever it is doing.</summary>
public class ClientEndTests
{
    private const string Accepts = "20 { 00 00 { 21 00 14 | 12 'auto-1' | 26 'a' 'b' } }";

    [Fact]
    public async Task It_begins_though_connack_comes_byte_by_byte()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync();
        await connection.ReadPacketAsync();
        foreach (var part in Bytes.Of(Accepts))
            await connection.SendAsync(new[] { part });
        await client.PublishAsync("a", qos: 0);
        await connection.ExpectAsync("30 { 'a' {} }");
    }

    [Fact]
    public async Task It_never_begins_with_a_part_of_connack()
    {
        var bytes = Bytes.Of(Accepts);
        for (var length = 0; length < bytes.Length; length++)
        {
            using var server = new RawServer();
            await using var client = TestClient.Start(server.Address, options => options with { Version = ProtocolVersion.V5 });
            await using (var connection = await server.AcceptAsync())
            {
                await connection.ReadPacketAsync();
                await connection.SendAsync(bytes.AsMemory(..length));
            }
            Assert.Equal("the connection was closed", (await client.FailsAsync(failure => !failure.WasConnected)).Message);
            Assert.Empty(client.Accepted);
        }
    }

    [Fact]
    public async Task What_comes_right_behind_connack_is_heard()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(Accepts + " | 30 { 'a' {} | \"1\" }");
        Assert.Equal("a 0 1", await client.ReadTextAsync());
    }

    [Fact]
    [Clause("MQTT-3.2.2-16")]
    public async Task A_name_that_the_server_has_given_is_kept()
    {
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { ClientId = "", SessionExpiry = 60 });
        await using (var connection = await server.AcceptAsync(Accepts))
            Assert.Equal("auto-1", (await client.ReadAsync()).ClientId);
        await using var next = await server.AcceptAsync();
        await next.ExpectAsync("10 { 'MQTT' 05 | 00 | 00 00 | { 11 00 00 00 3C | 21 FF FF | 17 01 } | 'auto-1' }");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_the_host_throws_ends_it(bool whenConnected)
    {
        using var server = new RawServer();
        var fault = new FormatException("the host's own");
        await using var client = TestClient.Start(server.Address, options => options with
        {
            Connected = (_, _, _) => whenConnected ? Task.FromException(fault) : Task.CompletedTask,
            Failed = (_, _) => Task.FromException(fault),
        });
        await using (var connection = await server.AcceptAsync(Accepts))
        {
            if (whenConnected)
                await connection.ReadToEndAsync();
        }
        Assert.Same(fault, await Assert.ThrowsAsync<FormatException>(() => client.Running));
        Assert.False(await client.Client.Incoming.WaitToReadAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task It_can_be_disposed_before_it_runs_and_again()
    {
        var client = new MqttClient(new ClientOptions { Server = new Uri("mqtt://127.0.0.1:1") });
        await client.DisposeAsync();
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.PublishAsync(TestClient.Message("a"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task It_ends_while_the_server_does_not_answer_and_while_it_waits_for_the_next_attempt()
    {
        using var server = new RawServer();
        var silent = TestClient.Start(server.Address);
        var waiting = silent.PublishAsync("a");
        await using var connection = await server.AcceptAsync();
        await silent.DisposeAsync();
        await silent.Running;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var nowhere = TestClient.Start(new Uri("mqtt://127.0.0.1:1"));
        await nowhere.FailsAsync(_ => true);
        nowhere.Stop();
        await nowhere.Running;
        await nowhere.DisposeAsync();
    }

    [Fact]
    public async Task It_ends_though_the_host_has_stopped_reading()
    {
        using var server = new RawServer();
        var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(Accepts);
        for (var number = 0; number < 10_000; number++) // More than the host's queue holds.
            await connection.SendAsync("30 { 'a' {} | \"1\" }");
        var publishing = client.PublishAsync("b");
        await connection.ExpectAsync("32 { 'b' 00 01 {} }");
        var leaving = client.DisposeAsync();
        await connection.SendAsync("40 02 00 01");
        await connection.ExpectAsync("E0 00");
        await connection.DisposeAsync();
        await leaving;
        Assert.Equal(ReasonCode.Success, await publishing);
    }

    [Theory]
    [InlineData("http://127.0.0.1")]
    [InlineData("tcp://127.0.0.1")]
    public void Where_it_cannot_connect_is_said_at_once(string address) => Assert.Throws<ArgumentException>(() => new MqttClient(new ClientOptions { Server = new Uri(address) }));
}
