using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>Slow hosts, silent servers, every transport, and a broker that goes and comes.</summary>
public class ClientFlowTests
{
    private const string Accepts = "20 { 00 00 {} }";

    private static readonly X509Certificate2 ServerCertificate = TestCertificate.New("localhost");
    private static readonly X509Certificate2 ClientCertificate = TestCertificate.New("client");

    [Fact]
    public async Task A_slow_host_holds_the_network_back()
    {
        const int Messages = 40_000;
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address);
        await using var connection = await server.AcceptAsync(Accepts);
        var message = Bytes.Of($"30 {{ 'a' {{}} | \"{new string('x', 1000)}\" }}");
        var sending = Task.Run(async () =>
        {
            for (var number = 0; number < Messages; number++)
                await connection.SendAsync(message);
        }, TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => client.Client.Incoming.Count == 8192, () => $"{client.Client.Incoming.Count} messages");
        Assert.Empty(client.Failures);
        Assert.False(sending.IsCompleted);
        Assert.Equal(8192, client.Client.Incoming.Count);
        for (var number = 0; number < Messages; number++)
            Assert.StartsWith("a 0 x", await client.ReadTextAsync(), StringComparison.Ordinal);
        await sending;
    }

    [Fact]
    [Clause("MQTT-3.1.2-20", "MQTT-3.1.2-21", "MQTT-3.2.2-21")]
    public async Task A_silent_server_is_left()
    {
        var time = new FakeTimeProvider();
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { Time = time });
        await using var connection = await server.AcceptAsync("20 { 00 00 { 13 00 0A } }"); // It asks for ten seconds.
        await time.PassUntilAsync(() => client.Failures.Any(failure => failure.Message == "it has gone silent"), () => string.Join(" | ", client.Failures.Select(failure => failure.Message)));
        await connection.ExpectAsync("C0 00");
    }

    [Fact]
    public async Task A_server_that_answers_pings_and_not_the_subscription_is_left()
    {
        var time = new FakeTimeProvider();
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { KeepAlive = TimeSpan.FromSeconds(10), Time = time });
        var subscribing = client.SubscribeAsync("a");
        await using var connection = await server.AcceptAsync(Accepts);
        Assert.Equal(0x82, (await connection.ReadPacketAsync())[0]);
        for (var ping = 0; ping < 2; ping++)
        {
            await PingAsync(time, client, connection);
            await connection.SendAsync("D0 00");
        }
        await client.FailsAsync(failure => failure.Message == "it does not answer the subscription");
        Assert.False(subscribing.IsCompleted);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_tried_again()
    {
        var time = new FakeTimeProvider();
        using var server = new RawServer();
        await using var client = TestClient.Start(server.Address, options => options with { Time = time });
        await using var connection = await server.AcceptAsync();
        await time.PassUntilAsync(() => client.Failures.Any(failure => failure.Message == "it does not answer"), () => "no failure");
        var next = server.AcceptAsync();
        await time.PassUntilAsync(() => next.IsCompleted, () => "no attempt");
        await (await next).DisposeAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Through_connections_that_break_anywhere_qos_2_arrives_once_qos_1_at_least_once_and_all_in_order(ProtocolVersion version)
    {
        const int Messages = 2000;
        var random = Seeds.Random();
        await using var broker = await TestBroker.StartAsync();
        using var proxy = new CuttingProxy(broker.EndPoints[0].Port, random, longest: 12_000);
        ClientOptions Kept(ClientOptions options) => options with { CleanStart = false, SessionExpiry = uint.MaxValue, Version = version, Time = new HastyTime() };
        await using var subscriber = TestClient.Start(proxy.Address, options => Kept(options) with { ClientId = "s" });
        var subscribing = subscriber.SubscribeAsync("#");
        subscriber.Client.Complete([await subscriber.ReadAsync()]); // The server knows no session.
        await subscribing;
        await using var publisher = TestClient.Start(proxy.Address, options => Kept(options) with { ClientId = "p" });
        publisher.Client.Complete([await publisher.ReadAsync()]);
        List<string> sent = [.. Enumerable.Range(0, Messages).Select(number => $"{number} {random.Next(1, 3)} x")];
        var publishing = sent.Select(message => publisher.Client.PublishAsync(TestClient.Message(message.Split(' ')[0], "x", message.Split(' ')[1] == "1" ? 1 : 2), TestContext.Current.CancellationToken)).ToList();
        var received = new List<string>();
        while (received.Count < Messages || !received.Contains(sent[^1]))
        {
            received.Add(await subscriber.ReadTextAsync());
            if (received.Count == Messages * 3 / 4)
                proxy.LeaveAlone();
        }
        Assert.All(await Task.WhenAll(publishing), reason => Assert.Equal(ReasonCode.Success, reason));
        Assert.Equal(sent, received.Distinct());
        Assert.Equal(sent.Where(message => message.EndsWith("2 x", StringComparison.Ordinal)), received.Where(message => message.EndsWith("2 x", StringComparison.Ordinal)));
        Assert.True(proxy.Cuts > 2, $"{proxy.Cuts} cuts");
    }

    [Theory]
    [InlineData("mqtt", false, false)]
    [InlineData("mqtts", false, true)]
    [InlineData("ws", true, false)]
    [InlineData("wss", true, true)]
    public async Task It_publishes_to_itself_over(string scheme, bool isWebSocket, bool isSecure)
    {
        var listener = TestBroker.Loopback with
        {
            IsWebSocket = isWebSocket,
            Tls = isSecure ? () => new SslServerAuthenticationOptions
            {
                ServerCertificate = ServerCertificate,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == ClientCertificate.Thumbprint,
            } : null,
        };
        await using var broker = await TestBroker.StartAsync(options => options with { Listeners = [listener] });
        await using var client = TestClient.Start(new Uri($"{scheme}://localhost:{broker.EndPoints[0].Port}{(isWebSocket ? "/mqtt" : "")}"), options => options with
        {
            Tls = new SslClientAuthenticationOptions
            {
                ClientCertificates = [ClientCertificate],
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == ServerCertificate.Thumbprint,
            },
        });
        Assert.Equal(ReasonCode.GrantedQos2, await client.SubscribeAsync("a/#"));
        var payload = new string('x', 100_000); // More than one WebSocket frame or TLS record.
        foreach (var number in Enumerable.Range(0, 10))
        {
            var publishing = client.PublishAsync("a/b", $"{number}{payload}", qos: number % 3);
            Assert.Equal($"a/b {number % 3} {number}{payload}", await client.ReadTextAsync());
            Assert.Equal(ReasonCode.Success, await publishing);
        }
    }

    [Theory]
    [InlineData("mqtts")]
    [InlineData("wss")]
    public async Task A_certificate_that_is_not_trusted_ends_it(string scheme)
    {
        var listener = TestBroker.Loopback with { IsWebSocket = scheme == "wss", Tls = () => new SslServerAuthenticationOptions { ServerCertificate = ServerCertificate } };
        await using var broker = await TestBroker.StartAsync(options => options with { Listeners = [listener] });
        await using var client = TestClient.Start(new Uri($"{scheme}://localhost:{broker.EndPoints[0].Port}"));
        var failure = await Assert.ThrowsAsync<MqttClientException>(() => client.Running);
        Assert.Contains("certificate", failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_kept_session_goes_on_where_it_was_when_mosquitto_is_restarted_and_when_we_are(ProtocolVersion version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        ClientOptions Kept(ClientOptions options) => options with { ClientId = "kept", CleanStart = false, SessionExpiry = uint.MaxValue, Version = version };
        await using var publisher = TestClient.Start(broker.Address, options => options with { ClientId = "p", Version = version, CleanStart = false, SessionExpiry = uint.MaxValue });
        publisher.Client.Complete([await publisher.ReadAsync()]); // The server knows no session.
        var ids = new HashSet<ushort>();
        var heard = new List<string>();
        await using (var first = TestClient.Start(broker.Address, Kept))
        {
            await StoreAsync(first);
            Assert.Equal(ReasonCode.GrantedQos2, await first.SubscribeAsync("a"));
        }
        List<Task<ReasonCode>> publishing = [.. Enumerable.Range(0, 50).Select(number => publisher.PublishAsync("a", $"{number}", qos: 2))];
        await using (var second = TestClient.Start(broker.Address, options => Kept(options) with { ReceivedIds = [.. ids] }))
        {
            while (heard.Count < 5)
                await StoreAsync(second);
        }
        await broker.StopAsync();
        publishing.AddRange(Enumerable.Range(50, 50).Select(number => publisher.PublishAsync("a", $"{number}", qos: 2)));
        await using var third = TestClient.Start(broker.Address, options => Kept(options) with { ReceivedIds = [.. ids] });
        await broker.StartAgainAsync();
        while (heard.Count < 100)
            await StoreAsync(third);
        Assert.Equal(Enumerable.Range(0, 100).Select(number => $"{number}"), heard);
        Assert.All(await Task.WhenAll(publishing), reason => Assert.Equal(ReasonCode.Success, reason));

        // As a host does: the message and the identifier in one transaction.
        async Task StoreAsync(TestClient client)
        {
            var incoming = await client.ReadAsync();
            if (incoming.Kind == IncomingKind.Message)
                heard.Add(System.Text.Encoding.UTF8.GetString(incoming.Message!.Payload.Span));
            if (incoming.IdChange.Kind == IdChangeKind.Received)
                ids.Add(incoming.IdChange.PacketId);
            else if (incoming.IdChange.Kind == IdChangeKind.Released)
                ids.Remove(incoming.IdChange.PacketId);
            else if (incoming.IdChange.Kind == IdChangeKind.AllForgotten)
                ids.Clear();
            client.Client.Complete([incoming]);
        }
    }

    // A message behind the ping says that the client knows that it was sent.
    private static async Task PingAsync(FakeTimeProvider time, TestClient client, RawClient connection)
    {
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([0xC0, 0], await connection.ReadPacketAsync());
        await client.PublishAsync("p", qos: 0);
        Assert.Equal(0x30, (await connection.ReadPacketAsync())[0]);
    }

    // Waits are a tenth of what they should be.
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / 10 : dueTime, period);
    }
}
