using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Clients of ours that are told a port of the broker which speaks something else.</summary>
public sealed class WrongPortTests : MosquittoTest
{
    [Theory]
    [InlineData("aggregate", "mqtt", "tls", "this port speaks TLS: expected mqtts://127.0.0.1:PORT")]
    [InlineData("watch", "mqtt", "tls", "this port speaks TLS: expected mqtts://127.0.0.1:PORT")]
    [InlineData("publish", "mqtt", "tls", "this port speaks TLS: expected mqtts://127.0.0.1:PORT")]
    [InlineData("publish", "ws", "tls", "this port speaks TLS: expected wss://127.0.0.1:PORT")]
    [InlineData("publish", "mqtt", "websockets", "this port speaks HTTP, as MQTT over WebSocket does: expected ws://127.0.0.1:PORT")]
    [InlineData("watch", "mqtt", "websockets", "this port speaks HTTP, as MQTT over WebSocket does: expected ws://127.0.0.1:PORT")]
    [InlineData("publish", "mqtts", "websockets", "this port speaks HTTP, as MQTT over WebSocket does: expected ws://127.0.0.1:PORT")]
    [InlineData("aggregate", "mqtts", "mqtt", "this port speaks MQTT as it is, without TLS or WebSocket: expected mqtt://127.0.0.1:PORT")]
    [InlineData("publish", "mqtts", "mqtt", "this port speaks MQTT as it is, without TLS or WebSocket: expected mqtt://127.0.0.1:PORT")]
    [InlineData("publish", "ws", "mqtt", "this port speaks MQTT as it is, without TLS or WebSocket: expected mqtt://127.0.0.1:PORT")]
    [InlineData("watch", "wss", "mqtt", "this port speaks MQTT as it is, without TLS or WebSocket: expected mqtt://127.0.0.1:PORT")]
    public async Task It_says_what_the_port_speaks_and_what_is_to_be_written(string verb, string scheme, string port, string said)
    {
        using var authority = new TestAuthority();
        authority.Issue("localhost", Folder["server.crt"], Folder["server.key"]);
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path, port switch
        {
            "tls" => $"listener PORT 127.0.0.1\ncertfile {Folder["server.crt"]}\nkeyfile {Folder["server.key"]}",
            "websockets" => $"listener {MosquittoServer.FreePort()} 127.0.0.1\nlistener PORT 127.0.0.1\nprotocol websockets", // It does not start with one of these alone.
            _ => "",
        });
        var client = Run($"{scheme}://127.0.0.1:{mosquitto.Port}", verb);
        Assert.Equal(1, await client.ExitAsync());
        Assert.Contains($"meanwhile: {scheme}://127.0.0.1:{mosquitto.Port}: {said.Replace("PORT", $"{mosquitto.Port}", StringComparison.Ordinal)}", client.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("publish")]
    [InlineData("aggregate")]
    public async Task A_broker_of_ours_without_tls_is_no_broker_with_a_bad_certificate(string verb)
    {
        var port = MosquittoServer.FreePort();
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{port}"]);
        await broker.SaysAsync("is listening");
        var client = Run($"mqtts://127.0.0.1:{port}", verb);
        Assert.Equal(1, await client.ExitAsync());
        Assert.Contains($"meanwhile: mqtts://127.0.0.1:{port}: this port speaks MQTT as it is, without TLS or WebSocket: expected mqtt://127.0.0.1:{port}", client.Error, StringComparison.Ordinal);
    }
}
