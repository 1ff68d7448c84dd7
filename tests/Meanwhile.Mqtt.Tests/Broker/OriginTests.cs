using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Web pages of strangers do not get in by the browser of a user, neither under their own name nor under one that leads here.</summary>
public class OriginTests
{
    private static readonly X509Certificate2 Server = TestCertificate.New("localhost");
    private static readonly string[] Named = ["https://good.example", "http://good.example:8080", "file://"];

    private readonly ConcurrentQueue<Refusal> _refusals = new();

    [Theory]
    [InlineData("127.0.0.1:PORT", null)]
    [InlineData("localhost:PORT", null)]
    [InlineData("LOCALHOST", null)]
    [InlineData("[::1]:PORT", null)]
    [InlineData("127.0.0.1:PORT", "http://127.0.0.1:PORT")]
    [InlineData("127.0.0.1:PORT", "http://127.0.0.1")]
    [InlineData("localhost:PORT", "https://localhost:3000")]
    [InlineData("localhost:PORT", "HTTP://LocalHost:3000")]
    [InlineData("127.0.0.1:PORT", "http://localhost:3000")]
    [InlineData("localhost:PORT", "http://[::1]:3000")]
    [InlineData("127.0.0.1:PORT", "https://good.example")]
    [InlineData("127.0.0.1:PORT", "https://GOOD.example:443")]
    [InlineData("127.0.0.1:PORT", "http://good.example:8080")]
    [InlineData("127.0.0.1:PORT", "file://")]
    [InlineData("good.example", "https://good.example")]
    [InlineData("good.example", null)]
    public async Task May_connect(string host, string? origin)
    {
        await using var broker = await StartAsync();
        Assert.StartsWith("HTTP/1.1 101 ", await AskAsync(broker, host, origin), StringComparison.Ordinal);
        Assert.Empty(_refusals);
    }

    [Theory]
    [InlineData("127.0.0.1:PORT", "http://evil.example")]
    [InlineData("127.0.0.1:PORT", "http://evil.example:PORT")]
    [InlineData("127.0.0.1:PORT", "http://127.0.0.1.evil.example")]
    [InlineData("127.0.0.1:PORT", "http://127.0.0.1@evil.example")]
    [InlineData("127.0.0.1:PORT", "http://10.0.0.1")]
    [InlineData("127.0.0.1:PORT", "http://good.example")]
    [InlineData("127.0.0.1:PORT", "https://good.example:8080")]
    [InlineData("127.0.0.1:PORT", "https://sub.good.example")]
    [InlineData("127.0.0.1:PORT", "https://good.example.")]
    [InlineData("127.0.0.1:PORT", "null")]
    [InlineData("127.0.0.1:PORT", "")]
    [InlineData("127.0.0.1:PORT", "localhost")]
    [InlineData("127.0.0.1:PORT", "http://localhost http://evil.example")]
    [InlineData("127.0.0.1:PORT", "http://localhost\r\nOrigin: http://evil.example")]
    [InlineData("evil.example", "http://evil.example", true)]
    [InlineData("evil.example:PORT", "http://evil.example:PORT", true)]
    [InlineData("evil.example", "https://good.example", true)]
    [InlineData("evil.example", null, true)]
    [InlineData("localhost.evil.example", null, true)]
    [InlineData("10.0.0.1", null, true)]
    [InlineData("", null, true)]
    public async Task Is_forbidden(string host, string? origin, bool isForHost = false)
    {
        await using var broker = await StartAsync();
        var answer = await AskAsync(broker, host, origin);
        Assert.StartsWith("HTTP/1.1 403 Forbidden\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: text/plain; charset=utf-8\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        var refusal = Assert.Single(_refusals);
        Assert.Equal((RefusalKind.Connection, ReasonCode.NotAuthorized), (refusal.Kind, refusal.Reason));
        Assert.StartsWith(isForHost ? "the host of the request is not this machine" : "web pages of other hosts may not connect", refusal.Explanation, StringComparison.Ordinal);
        Assert.Contains(refusal.Explanation, answer, StringComparison.Ordinal);
        Assert.StartsWith(string.IsNullOrEmpty(origin) ? "127.0.0.1" : "127.0.0.1, a page of ", refusal.From, StringComparison.Ordinal);
        Assert.Equal(0, broker.Statistics.Connections);
    }

    [Theory]
    [InlineData("evil.example", null, 403)]
    [InlineData("localhost", "http://evil.example", 403)]
    [InlineData("localhost", "http://localhost", 101)]
    public async Task Tls_changes_nothing_of_that(string host, string? origin, int status)
    {
        await using var broker = await StartAsync(listener => listener with { Tls = () => new SslServerAuthenticationOptions { ServerCertificate = Server } });
        Assert.StartsWith($"HTTP/1.1 {status} ", await AskAsync(broker, host, origin, isInTls: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Any_host_will_do_where_clients_prove_who_they_are_or_come_from_elsewhere_but_no_other_page(bool takesAnyHost, bool isOpen)
    {
        await using var broker = await StartAsync(listener => listener with
        {
            TakesAnyHost = takesAnyHost,
            EndPoint = isOpen ? new IPEndPoint(IPAddress.Any, 0) : listener.EndPoint,
        });
        foreach (var (host, origin, status) in new[]
        {
            ("broker.example", null, 101),
            ("my_pc:PORT", "http://my_pc", 101),
            ("broker.example", "http://broker.example:3000", 101),
            ("broker.example", "http://evil.example", 403),
            ("broker.example", "http://localhost", 403),
        })
        {
            Assert.StartsWith($"HTTP/1.1 {status} ", await AskAsync(broker, host, origin), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("https://example.com", "https://example.com:443")]
    [InlineData("HTTP://Bücher.Example:8080/", "http://xn--bcher-kva.example:8080")]
    [InlineData("http://[::1]", "http://::1:80")]
    [InlineData("file://", "file://:-1")]
    [InlineData("chrome-extension://abcdef", "chrome-extension://abcdef:-1")]
    [InlineData("null", null)]
    [InlineData("*", null)]
    [InlineData("", null)]
    [InlineData("example.com", null)]
    [InlineData("example.com:8080", null)]
    [InlineData("https://example.com/page", null)]
    [InlineData("https://example.com/?q", null)]
    [InlineData("https://example.com/#f", null)]
    [InlineData("https://user@example.com", null)]
    [InlineData("https://", null)]
    public void An_origin_is_scheme_host_and_port(string text, string? meant) =>
        Assert.Equal(meant, WebOrigin.TryParse(text) is { } origin ? $"{origin.Scheme}://{origin.Host}:{origin.Port}" : null);

    private static async Task<string> AskAsync(MqttBroker broker, string host, string? origin, bool isInTls = false)
    {
        var port = broker.EndPoints[0].Port;
        await using var client = await RawClient.OpenAsync(new IPEndPoint(IPAddress.Loopback, port));
        if (isInTls)
            await client.StartTlsAsync(Server);
        var request = $"GET /mqtt HTTP/1.1\r\nHost: {host}\r\n{(origin is null ? "" : $"Origin: {origin}\r\n")}Connection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
        await client.SendAsync(Encoding.ASCII.GetBytes(request.Replace("PORT", $"{port}", StringComparison.Ordinal)));
        var answer = "";
        while (!IsWhole(answer))
            answer += (char)(await client.ReadExactlyAsync(1))[0];
        return answer;
    }

    // The connection stays open: the header is there, and after it, unless it was accepted, what is wrong and the end of that.
    private static bool IsWhole(string answer) =>
        answer.Contains("\r\n\r\n", StringComparison.Ordinal) && (answer.StartsWith("HTTP/1.1 101", StringComparison.Ordinal) || answer.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal));

    private Task<MqttBroker> StartAsync(Func<ListenerOptions, ListenerOptions>? configure = null) => TestBroker.StartAsync(options => options with
    {
        Listeners = [(configure ?? (same => same))(TestBroker.Loopback with { IsWebSocket = true })],
        WebOrigins = [.. Named.Select(origin => WebOrigin.TryParse(origin)!)],
        Refused = _refusals.Enqueue,
        Limits = new BrokerLimits { ConnectTimeout = TimeSpan.FromMinutes(1) }, // A TLS handshake on a machine that is busy.
    });
}
