using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Proxies that say for whom they connect, at every kind of listener: they have to, and nobody else may.</summary>
public class ProxyTests
{
    private const string Connect = "10 { 'MQTT' 04 | 02 | 00 00 | 'c' }";
    private const string Text = "\"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\" 0D 0A";
    private const string Binary = "0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | 21 21 00 27 | 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 07 | 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 | DC 04 | 07 5B | 04 00 00";
    private const string Local = "0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | 20 00 00 00";

    private static readonly X509Certificate2 Server = TestCertificate.New("localhost");

    private readonly ConcurrentQueue<Refusal> _refusals = new();
    private readonly ConcurrentQueue<IPAddress?> _addresses = new();

    [Theory]
    [InlineData("mqtt", Text, "192.0.2.7")]
    [InlineData("mqtt", Binary, "2001:db8::7")]
    [InlineData("mqtt", Local, "127.0.0.1")]
    [InlineData("mqtt", "\"PROXY UNKNOWN\" 0D 0A", "127.0.0.1")]
    [InlineData("mqtts", Text, "192.0.2.7")]
    [InlineData("mqtts", Binary, "2001:db8::7")]
    [InlineData("mqtts", Local, "127.0.0.1")]
    [InlineData("ws", Text, "192.0.2.7")]
    [InlineData("ws", Binary, "2001:db8::7")]
    [InlineData("wss", Text, "192.0.2.7")]
    [InlineData("wss", Binary, "2001:db8::7")]
    public async Task The_address_is_that_of_the_client(string scheme, string header, string address)
    {
        await using var broker = await StartAsync(scheme);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(header);
        await SpeakAsync(client, scheme);
        Assert.Equal(address, $"{Assert.Single(_addresses)}");
        Assert.Empty(_refusals);
    }

    [Theory]
    [InlineData(Text)]
    [InlineData(Binary)]
    public async Task It_makes_no_difference_where_the_header_is_cut(string header)
    {
        await using var broker = await StartAsync("mqtt");
        var bytes = Bytes.Of(header);
        for (var cut = 1; cut < bytes.Length; cut++)
        {
            await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
            await client.SendAsync(bytes.AsMemory(0, cut));
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, TestContext.Current.CancellationToken); // So that it comes alone.
            await client.SendAsync(new ReadOnlyMemory<byte>([.. bytes[cut..], .. Bytes.Of(Connect)]));
            await client.ExpectAsync("20 02 00 00");
        }
        Assert.Equal(bytes.Length - 1, _addresses.Count(address => $"{address}" is "192.0.2.7" or "2001:db8::7"));
        Assert.Empty(_refusals);
    }

    [Fact]
    public async Task A_proxy_that_leaves_in_the_middle_of_its_header_harms_nobody_and_one_that_only_looks_is_not_told_of()
    {
        await using var broker = await StartAsync("mqtt");
        await (await RawClient.OpenAsync(broker.EndPoints[0])).DisposeAsync();
        var bytes = Bytes.Of(Text);
        for (var cut = 1; cut < bytes.Length; cut++)
        {
            await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
            await client.SendAsync(bytes.AsMemory(0, cut));
        }
        await using var bystander = await RawClient.OpenAsync(broker.EndPoints[0]);
        await bystander.SendAsync($"{Text} {Connect}");
        await bystander.ExpectAsync("20 02 00 00");
        await Until.TrueAsync(() => _refusals.Count == bytes.Length - 1, () => $"{_refusals.Count} of {bytes.Length - 1} were told of");
        Assert.All(_refusals, refusal => Assert.Equal((RefusalKind.Connection, "it ended in the middle of its PROXY header", "127.0.0.1"), (refusal.Kind, refusal.Explanation, refusal.From)));
        Assert.Single(_addresses);
    }

    [Theory]
    [InlineData("mqtt", Connect)]
    [InlineData("mqtts", "16 03 01 00 05 | 01 00 00 01 00")]
    [InlineData("ws", "\"GET /mqtt HTTP/1.1\" 0D 0A")]
    [InlineData("mqtt", "\"PROXY TCP4 192.0.2.7 198.51.100.1 1\" 0D 0A")]
    [InlineData("mqtt", "0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | 21 11 FF FF")]
    public async Task A_named_proxy_has_to_begin_with_a_header(string scheme, string start)
    {
        await using var broker = await StartAsync(scheme);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(start);
        await client.ExpectEndAsync();
        var refusal = Assert.Single(_refusals);
        Assert.Equal((RefusalKind.Connection, "", ReasonCode.ProtocolError, "127.0.0.1"), (refusal.Kind, refusal.ClientId, refusal.Reason, refusal.From));
        Assert.Contains("PROXY", refusal.Explanation, StringComparison.Ordinal);
        Assert.Empty(_addresses);
    }

    [Theory]
    [InlineData("mqtt", Text)]
    [InlineData("mqtt", Binary)]
    [InlineData("mqtts", Text)]
    [InlineData("mqtts", Binary)]
    [InlineData("ws", Text)]
    [InlineData("ws", Binary)]
    [InlineData("wss", Text)]
    public async Task Nobody_else_may_send_one(string scheme, string header)
    {
        foreach (var named in new string[][] { ["10.0.0.0/8", "127.0.0.2/32", "::1/128"], [] })
        {
            _refusals.Clear();
            await using var broker = await StartAsync(scheme, named);
            await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
            await client.SendAsync($"{header} {Connect}");
            await client.ExpectEndAsync();
            var refusal = Assert.Single(_refusals);
            Assert.Equal((RefusalKind.Connection, "", "127.0.0.1"), (refusal.Kind, refusal.ClientId, refusal.From));
            Assert.Contains($"port {broker.EndPoints[0].Port} is for {scheme}://, and this is a PROXY header", refusal.Explanation, StringComparison.Ordinal);
            await using var other = await RawClient.OpenAsync(broker.EndPoints[0]);
            await SpeakAsync(other, scheme);
        }
        Assert.All(_addresses, address => Assert.Equal(IPAddress.Loopback, address));
    }

    [Fact]
    public async Task A_client_behind_a_proxy_cannot_send_another_one()
    {
        await using var broker = await StartAsync("mqtt");
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync($"{Text} \"PROXY TCP4 203.0.113.1 198.51.100.1 1 2\" 0D 0A {Connect}");
        await client.ExpectEndAsync();
        Assert.Equal("192.0.2.7", Assert.Single(_refusals).From);
        Assert.Empty(_addresses);
    }

    [Theory]
    [InlineData("mqtt", "")]
    [InlineData("mqtts", "0D")]
    [InlineData("ws", "\"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\"")]
    [InlineData("mqtt", "0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | 21 11 0F F0 | C0 00 02 07")]
    public async Task A_slow_header_ends_at_the_deadline_and_is_told_of(string scheme, string start)
    {
        var time = new FakeTimeProvider();
        await using var broker = await StartAsync(scheme, time: time);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(start);
        await time.PassUntilAsync(() => !_refusals.IsEmpty, () => "nobody was told of it");
        await client.ExpectEndAsync();
        var refusal = Assert.Single(_refusals);
        Assert.Equal(("a PROXY header has not come within 60 seconds", "127.0.0.1"), (refusal.Explanation, refusal.From));
    }

    [Fact]
    public async Task Proxies_of_ip_4_are_known_where_both_are_listened_to()
    {
        await using var broker = await StartAsync("mqtt", listener: new ListenerOptions(new IPEndPoint(IPAddress.IPv6Any, 0)));
        await using var client = await RawClient.OpenAsync(new IPEndPoint(IPAddress.Loopback, broker.EndPoints[0].Port));
        await client.SendAsync($"{Text} {Connect}");
        await client.ExpectAsync("20 02 00 00");
        Assert.Equal("192.0.2.7", $"{Assert.Single(_addresses)}");
    }

    [Fact]
    public async Task Clients_of_the_hosts_own_process_come_without_a_proxy()
    {
        await using var broker = await StartAsync("mqtt", listener: TestBroker.Loopback with { IsInside = true });
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        Assert.Equal(IPAddress.Loopback, Assert.Single(_addresses));
    }

    // From the first byte of a client without a header, to CONNACK.
    private static async Task SpeakAsync(RawClient client, string scheme)
    {
        if (scheme is "mqtts" or "wss")
            await client.StartTlsAsync(Server);
        var stream = client.Stream;
        if (scheme is "ws" or "wss")
        {
            await client.SendAsync(Encoding.ASCII.GetBytes(
                "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
            for (var end = ""; !end.EndsWith("\r\n\r\n", StringComparison.Ordinal);)
                end += (char)(await client.ReadExactlyAsync(1))[0];
            stream = WebSocketStream.Create(WebSocket.CreateFromStream(stream, new WebSocketCreationOptions()), WebSocketMessageType.Binary);
        }
        await stream.WriteAsync(Bytes.Of(Connect), TestContext.Current.CancellationToken);
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
        Assert.Equal(Bytes.Of("20 02 00 00"), answer);
    }

    private Task<MqttBroker> StartAsync(string scheme, string[]? named = null, TimeProvider? time = null, ListenerOptions? listener = null) => TestBroker.StartAsync(options => options with
    {
        Listeners =
        [
            listener ?? TestBroker.Loopback with
            {
                IsWebSocket = scheme is "ws" or "wss",
                Tls = scheme is "mqtts" or "wss" ? () => new SslServerAuthenticationOptions { ServerCertificate = Server } : null,
            },
        ],
        Proxies = [.. (named ?? ["127.0.0.1/32"]).Select(IPNetwork.Parse)],
        Authenticate = (login, _) =>
        {
            _addresses.Enqueue(login.Peer.Address);
            return ValueTask.FromResult(LoginAnswer.Accept(Permissions.All));
        },
        Refused = _refusals.Enqueue,
        Limits = new BrokerLimits { ConnectTimeout = TimeSpan.FromMinutes(1) },
        Time = time ?? TimeProvider.System,
    });
}
