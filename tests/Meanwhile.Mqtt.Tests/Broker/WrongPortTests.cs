using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Clients that speak another protocol than their port are told so: in that protocol, and the host in words.</summary>
public class WrongPortTests
{
    private const string Request = "GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n";

    private static readonly X509Certificate2 Server = TestCertificate.New("localhost");

    private readonly ConcurrentQueue<Refusal> _refusals = new();

    [Theory]
    [InlineData("mqtt", false)]
    [InlineData("mqtts", false)]
    [InlineData("mqtts", true)]
    [InlineData("wss", false)]
    public async Task A_web_socket_client_is_told_so(string scheme, bool isInTls)
    {
        await using var broker = await StartAsync(scheme);
        var answer = Encoding.UTF8.GetString(await AskAsync(broker, isInTls, Encoding.ASCII.GetBytes(Request)));
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
        var body = answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.Contains($"Content-Length: {body.Length}\r\n", answer, StringComparison.Ordinal);
        Assert.Contains($"port {broker.EndPoints[0].Port} is for {scheme}://, and this is HTTP", body, StringComparison.Ordinal);
        AssertRefused(broker, scheme);
    }

    [Theory]
    [InlineData("mqtt", "10 { 'MQTT' 04 | 02 | 00 00 | 'c' }", "20 02 00 00", 0)]
    [InlineData("mqtts", "10 { 'MQTT' 04 | 02 | 00 00 | 'c' }", "20 02 00 03", 1)]
    [InlineData("ws", "10 { 'MQTT' 04 | 02 | 00 00 | 'c' }", "20 02 00 03", 1)]
    [InlineData("wss", "10 { 'MQIsdp' 03 | 02 | 00 00 | 'c' }", "20 02 00 03", 1)]
    [InlineData("wss", "10 { 'MQTT' 05 | 02 | 00 00 | { 27 00 00 00 10 } | 'c' }", "20 03 00 88 00", 1)]
    [InlineData("ws", "10 { 'MQTT' 09 | 02 | 00 00 | 'c' }", "20 02 00 03", 1)]
    [InlineData("ws", "10 7F 00", "20 02 00 03", 1)]
    public async Task A_client_of_mqtt_is_told_so_in_its_version(string scheme, string connect, string answer, int refused)
    {
        await using var broker = await StartAsync(scheme);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(connect);
        await client.ExpectAsync(answer);
        Assert.Equal(refused, _refusals.Count);
        if (refused == 0)
            return;
        await client.ExpectEndAsync();
        AssertRefused(broker, scheme);
    }

    [Theory]
    [InlineData("mqtts", false, "without TLS")]
    [InlineData("ws", false, "without WebSocket")]
    [InlineData("wss", true, "without WebSocket")]
    public async Task A_client_of_5_0_is_told_so_in_words(string scheme, bool isInTls, string missing)
    {
        await using var broker = await StartAsync(scheme);
        var answer = await AskAsync(broker, isInTls, Bytes.Of("10 { 'MQTT' 05 | 02 | 00 00 | {} | 'c' }"));
        Assert.Equal([0x20, 0, 0x88], [answer[0], answer[3], answer[4]]); // Its length takes two bytes.
        Assert.Contains($"port {broker.EndPoints[0].Port} is for {scheme}://, and this is MQTT {missing}: expected {scheme}://", Encoding.UTF8.GetString(answer), StringComparison.Ordinal);
        AssertRefused(broker, scheme);
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("ws")]
    public async Task A_client_of_tls_gets_an_alert(string scheme)
    {
        await using var broker = await StartAsync(scheme);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(broker.EndPoints[0], TestContext.Current.CancellationToken);
        await using var tls = new SslStream(tcp.GetStream());
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync("localhost"));
        Assert.Contains("alert handshake failure", $"{failure}", StringComparison.OrdinalIgnoreCase);
        Assert.IsType<AuthenticationException>(failure);
        AssertRefused(broker, scheme);
    }

    [Theory]
    [InlineData("mqtt", "16 03")]
    [InlineData("mqtt", "PATCH ")]
    [InlineData("ws", "16 03")]
    public async Task It_makes_no_difference_how_the_first_bytes_come(string scheme, string start)
    {
        await using var broker = await StartAsync(scheme);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        foreach (var one in start[0] == '1' ? Bytes.Of(start) : Encoding.ASCII.GetBytes(start))
        {
            Assert.Empty(_refusals);
            await client.SendAsync(new[] { one });
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken); // So that it comes alone.
        }
        await client.ReadToEndAsync();
        AssertRefused(broker, scheme);
    }

    [Theory]
    [InlineData("mqtts")]
    [InlineData("ws")]
    [InlineData("wss")]
    public async Task Whoever_says_nothing_is_cut_off_and_told_of_and_delays_no_end(string scheme)
    {
        await using (var broker = await StartAsync(scheme, TimeSpan.FromMilliseconds(100)))
        {
            await using var mute = await RawClient.OpenAsync(broker.EndPoints[0]);
            await mute.ExpectEndAsync();
            Assert.Equal(ReasonCode.KeepAliveTimeout, Assert.Single(_refusals).Reason);
        }
        await using var waiting = await StartAsync(scheme, TimeSpan.FromHours(1));
        await using var other = await RawClient.OpenAsync(waiting.EndPoints[0]);
    }

    private static async Task<byte[]> AskAsync(MqttBroker broker, bool isInTls, byte[] question)
    {
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        if (isInTls)
            await client.StartTlsAsync(Server);
        await client.SendAsync(question);
        var answer = new MemoryStream();
        await client.Stream.CopyToAsync(answer, TestContext.Current.CancellationToken);
        return answer.ToArray();
    }

    private void AssertRefused(MqttBroker broker, string scheme)
    {
        var refusal = Assert.Single(_refusals);
        Assert.Equal((RefusalKind.Connection, "", ReasonCode.UnsupportedProtocolVersion), (refusal.Kind, refusal.ClientId, refusal.Reason));
        Assert.StartsWith($"port {broker.EndPoints[0].Port} is for {scheme}://, and this is ", refusal.Explanation, StringComparison.Ordinal);
        Assert.EndsWith("or the port of another listener", refusal.Explanation, StringComparison.Ordinal);
        Assert.Equal("127.0.0.1", refusal.From);
    }

    private Task<MqttBroker> StartAsync(string scheme, TimeSpan? patience = null) => TestBroker.StartAsync(options => options with
    {
        Listeners =
        [
            TestBroker.Loopback with
            {
                IsWebSocket = scheme.StartsWith("ws", StringComparison.Ordinal),
                Tls = scheme is "mqtts" or "wss" ? () => new SslServerAuthenticationOptions { ServerCertificate = Server } : null,
            },
        ],
        Refused = _refusals.Enqueue,
        Limits = new BrokerLimits { ConnectTimeout = patience ?? TimeSpan.FromMinutes(1) },
    });
}
