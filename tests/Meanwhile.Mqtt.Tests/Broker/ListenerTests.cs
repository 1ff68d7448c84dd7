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
using MQTTnet;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>Every kind of listener, judged by MQTTnet's client.</summary>
public class ListenerTests
{
    private static readonly X509Certificate2 Server = TestCertificate.New("localhost");
    private static readonly X509Certificate2 Client = TestCertificate.New("client");

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [Clause("MQTT-4.2.0-1")]
    public async Task A_client_publishes_to_itself_over(bool webSocket, bool tls)
    {
        await using var broker = await StartAsync(TestBroker.Loopback with { IsWebSocket = webSocket, Tls = tls ? () => new SslServerAuthenticationOptions { ServerCertificate = Server } : null });
        using var client = new MqttClientFactory().CreateMqttClient();
        var received = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ApplicationMessageReceivedAsync += message =>
        {
            received.SetResult(message.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        await client.ConnectAsync(Options(broker, webSocket, tls), TestContext.Current.CancellationToken);
        await client.SubscribeAsync("a/#", MQTTnet.Protocol.MqttQualityOfServiceLevel.ExactlyOnce, TestContext.Current.CancellationToken);
        var payload = new string('x', 100_000); // More than one WebSocket frame or TLS record.
        await client.PublishStringAsync("a/b", payload, MQTTnet.Protocol.MqttQualityOfServiceLevel.ExactlyOnce, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(payload, await received.Task.WaitAsync(TestContext.Current.CancellationToken));
        await client.DisconnectAsync(cancellationToken: TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task With_client_certificates_nobody_gets_in_without_one_and_the_host_sees_whose_it_is()
    {
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = TestBroker.Loopback with
        {
            Tls = () => new SslServerAuthenticationOptions
            {
                ServerCertificate = Server,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == Client.Thumbprint,
            },
        };
        await using var broker = await StartAsync(listener, options => options with
        {
            Authenticate = (login, _) =>
            {
                seen.TrySetResult(login.Peer.Certificate?.Subject);
                return ValueTask.FromResult(LoginAnswer.Accept(new Permissions(_ => true, _ => true)));
            },
        });
        using var stranger = new MqttClientFactory().CreateMqttClient();
        await Assert.ThrowsAnyAsync<Exception>(() => stranger.ConnectAsync(Options(broker, webSocket: false, tls: true), TestContext.Current.CancellationToken));
        Assert.False(seen.Task.IsCompleted);

        using var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(Options(broker, webSocket: false, tls: true, Client), TestContext.Current.CancellationToken);
        Assert.Equal("CN=client", await seen.Task);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [Clause("MQTT-3.12.4-1")]
    public async Task Whoever_is_refused_sees_the_end_at_once_and_what_it_still_sends_harms_nobody(bool webSocket, bool tls)
    {
        var time = new FakeTimeProvider(); // None passes.
        var listener = TestBroker.Loopback with { IsWebSocket = webSocket, Tls = tls ? () => new SslServerAuthenticationOptions { ServerCertificate = Server } : null };
        await using var broker = await StartAsync(listener, options => options with { Time = time });
        var longAnswer = $"D0 00 {string.Concat(Enumerable.Repeat("D0 00 ", 1000))}";
        foreach (var (sent, answer) in new[]
        {
            ("10 { 'MQTT' 09 | 02 | 00 00 | 'c' }", "20 03 00 84 00"),
            ("10 { 'MQTX' 04 | 02 | 00 00 | 'c' }", ""),
            ("10 { 'MQTT' 04 | 02 | 00 00 | 'c' } | 10 00", "20 02 00 00"),
            ("10 { 'MQTT' 04 | 02 | 00 00 | 'c' } " + string.Concat(Enumerable.Repeat("C0 00 ", 1001)) + "F0 00", "20 02 00 00 " + longAnswer),
            ("C0 00", ""),
        })
        {
            await using var client = await StreamAsync(broker, webSocket, tls);
            await client.WriteAsync(Bytes.Of(sent), TestContext.Current.CancellationToken);
            using var read = new MemoryStream();
            await client.CopyToAsync(read, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.Equal((sent, Convert.ToHexString(Bytes.Of(answer))), (sent, Convert.ToHexString(read.ToArray())));
            if (!webSocket)
                await client.WriteAsync(new byte[50_000], TestContext.Current.CancellationToken);
        }
        Assert.Equal(0, broker.Statistics.Connections);
    }

    [Fact]
    public async Task A_web_socket_that_speaks_no_mqtt_is_refused()
    {
        await using var broker = await StartAsync(TestBroker.Loopback with { IsWebSocket = true });
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("wamp");
        socket.Options.AddSubProtocol("mqttv5");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{broker.EndPoints[0]}/mqtt"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("mqtt", "mqtt")]
    [InlineData("mqttv3.1", "mqttv3.1")]
    [InlineData("mqttv3.1,mqtt", "mqtt")]
    [InlineData("wamp,mqttv3.1", "mqttv3.1")]
    [InlineData("", null)]
    [Clause("MQTT-6.0.0-4")]
    public async Task A_web_socket_may_offer_the_subprotocol_of_3_1_or_none(string offered, string? chosen)
    {
        await using var broker = await StartAsync(TestBroker.Loopback with { IsWebSocket = true });
        using var socket = new ClientWebSocket();
        foreach (var name in offered.Split(',', StringSplitOptions.RemoveEmptyEntries))
            socket.Options.AddSubProtocol(name);
        await socket.ConnectAsync(new Uri($"ws://{broker.EndPoints[0]}/any/path"), TestContext.Current.CancellationToken);
        Assert.Equal(chosen, socket.SubProtocol);
        await socket.SendAsync(Bytes.Of("10 { 'MQIsdp' 03 | 02 | 00 00 | 'c' }"), WebSocketMessageType.Binary, endOfMessage: true, TestContext.Current.CancellationToken);
        var answer = new byte[16];
        var received = await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken);
        Assert.Equal(Bytes.Of("20 02 00 00"), answer[..received.Count]);
    }

    [Fact]
    [Clause("MQTT-6.0.0-1")]
    public async Task Text_over_a_web_socket_ends_the_connection()
    {
        await using var broker = await StartAsync(TestBroker.Loopback with { IsWebSocket = true });
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await socket.ConnectAsync(new Uri($"ws://{broker.EndPoints[0]}/mqtt"), TestContext.Current.CancellationToken);
        await socket.SendAsync(Bytes.Of("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }"), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        var answer = await socket.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken);
        Assert.Equal(WebSocketMessageType.Close, answer.MessageType); // [MQTT-6.0.0-1]
    }

    [Fact]
    [Clause("MQTT-3.1.4-2")]
    public async Task Who_may_connect_publish_and_subscribe_is_for_the_host_to_say()
    {
        await using var broker = await StartAsync(TestBroker.Loopback, options => options with
        {
            Authenticate = (login, _) => ValueTask.FromResult(login.UserName == "user" && login.Password!.Value.Span.SequenceEqual("secret"u8)
                ? LoginAnswer.Accept(new Permissions(topic => topic == "mine", filter => filter == "mine"))
                : LoginAnswer.Refuse(ReasonCode.BadUserNameOrPassword, "")),
        });
        await using var stranger = await RawClient.OpenAsync(broker.EndPoints[0]);
        await stranger.SendAsync("10 { 'MQTT' 04 | C2 | 00 00 | 'c' | 'user' | 'wrong' }");
        await stranger.ExpectAsync("20 02 00 04");
        await stranger.ExpectEndAsync();

        await using var user = await RawClient.OpenAsync(broker.EndPoints[0]);
        await user.SendAsync("10 { 'MQTT' 05 | C2 | 00 00 | {} | 'c' | 'user' | 'secret' }");
        Assert.Equal(0, (await user.ReadPacketAsync())[3]);
        await user.SendAsync("82 { 00 01 {} | 'mine' 00 | '#' 00 } | 32 { 'yours' 00 01 {} } | 32 { 'mine' 00 02 {} \"x\" }");
        await user.ExpectAsync("90 { 00 01 {} | 00 87 }");
        await user.ExpectAsync("40 03 00 01 87");
        byte[][] rest = [await user.ReadPacketAsync(), await user.ReadPacketAsync()];
        Assert.Equal<byte>([0x30, 0x40], rest.Select(packet => packet[0]).Order()); // Its own message, and its acknowledgement.
        await user.SendAsync("30 { 'yours' {} }");
        await user.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_login_whose_client_has_gone_waits_no_longer(bool webSocket, bool tls)
    {
        var isWaiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isOver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = TestBroker.Loopback with { IsWebSocket = webSocket, Tls = tls ? () => new SslServerAuthenticationOptions { ServerCertificate = Server } : null };
        await using var broker = await StartAsync(listener, options => options with
        {
            Authenticate = async (_, gone) =>
            {
                await using var told = gone.Register(isOver.SetResult);
                isWaiting.SetResult();
                await isOver.Task;
                return LoginAnswer.Refuse(ReasonCode.ServerBusy, "");
            },
        });
        using (var client = new MqttClientFactory().CreateMqttClient())
        {
            using var leave = new CancellationTokenSource();
            var connecting = client.ConnectAsync(Options(broker, webSocket, tls), leave.Token);
            await isWaiting.Task.WaitAsync(TestContext.Current.CancellationToken);
            Assert.False(isOver.Task.IsCompleted);
            await leave.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => connecting);
        }
        await isOver.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_flood_of_connects_that_never_end_makes_room_for_a_newcomer(bool webSocket, bool tls)
    {
        var listener = TestBroker.Loopback with { IsWebSocket = webSocket, Tls = tls ? () => new SslServerAuthenticationOptions { ServerCertificate = Server } : null };
        await using var broker = await StartAsync(listener, options => options with { Limits = options.Limits with { NewcomerBytes = 1 << 20 } });
        var flood = new List<Stream>();
        for (var i = 0; i < 20; i++)
        {
            flood.Add(await StreamAsync(broker, webSocket, tls));
            await flood[i].WriteAsync(new byte[] { 0x10, 0xF0, 0xFF, 0x03 }, TestContext.Current.CancellationToken);
            await flood[i].WriteAsync(new byte[60_000], TestContext.Current.CancellationToken); // In fragments of its own, where there are any.
        }
        await using var good = await StreamAsync(broker, webSocket, tls);
        await good.WriteAsync(Bytes.Of("10 { 'MQTT' 04 | 02 | 00 00 | 'good' }"), TestContext.Current.CancellationToken);
        var answer = new byte[4];
        await good.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
        Assert.Equal(Bytes.Of("20 02 00 00"), answer);
        await Until.TrueAsync(() => broker.Statistics.Connections <= 9, () => $"{broker.Statistics}"); // Half of a MiB, and the good one.
        foreach (var client in flood)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task A_websocket_is_not_opened_for_a_header_without_end()
    {
        await using var broker = await StartAsync(TestBroker.Loopback with { IsWebSocket = true });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(Encoding.ASCII.GetBytes("GET /mqtt HTTP/1.1\r\nHost: localhost\r\n"));
        await client.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 20).Select(i => $"X-{i}: {new string('x', 1000)}\r\n"))));
        Assert.Equal("HTTP/1.1 431", Encoding.ASCII.GetString(await client.ReadExactlyAsync(12)));
    }

    [Fact]
    public async Task Half_a_tls_handshake_does_not_keep_the_broker_from_its_end()
    {
        var broker = await StartAsync(TestBroker.Loopback with { Tls = () => new SslServerAuthenticationOptions { ServerCertificate = Server } }, options => options with
        {
            Limits = options.Limits with { ConnectTimeout = TimeSpan.FromHours(1) },
        });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("16 03 01 02 00 | 01 00 01 FC 03 03");
        await using var other = await RawClient.OpenAsync(broker.EndPoints[0]); // It was accepted after the first one.
        await other.SendAsync("10 00");
        await other.ReadToEndAsync();
        await broker.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_no_place_to_listen()
    {
        await using var broker = await StartAsync(TestBroker.Loopback);
        await Assert.ThrowsAsync<IOException>(() => StartAsync(new ListenerOptions(broker.EndPoints[0])));
    }

    private static Task<MqttBroker> StartAsync(ListenerOptions listener, Func<BrokerOptions, BrokerOptions>? configure = null) =>
        TestBroker.StartAsync(options => (configure ?? (same => same))(options with
        {
            Listeners = [listener],
            Limits = new BrokerLimits { ConnectTimeout = TimeSpan.FromMinutes(1) }, // A TLS handshake on a machine that is busy.
        }));

    private static async Task<Stream> StreamAsync(MqttBroker broker, bool webSocket, bool tls)
    {
        var patience = TimeSpan.FromSeconds(10);
        if (webSocket)
        {
            var socket = new ClientWebSocket();
            socket.Options.AddSubProtocol("mqtt");
            socket.Options.RemoteCertificateValidationCallback = IsServer;
            await socket.ConnectAsync(new Uri($"{(tls ? "wss" : "ws")}://localhost:{broker.EndPoints[0].Port}/mqtt"), TestContext.Current.CancellationToken);
            return WebSocketStream.Create(socket, WebSocketMessageType.Binary, patience);
        }
        var raw = await RawClient.OpenAsync(broker.EndPoints[0]);
        if (tls)
            await raw.StartTlsAsync(Server);
        return raw.Stream;
    }

    private static bool IsServer(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate?.GetCertHashString() == Server.Thumbprint;

    private static MqttClientOptions Options(MqttBroker broker, bool webSocket, bool tls, X509Certificate2? certificate = null)
    {
        var builder = new MqttClientOptionsBuilder().WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500);
        builder = webSocket
            ? builder.WithWebSocketServer(server => server.WithUri($"{(tls ? "wss" : "ws")}://localhost:{broker.EndPoints[0].Port}/mqtt"))
            : builder.WithTcpServer(IPAddress.Loopback.ToString(), broker.EndPoints[0].Port);
        return builder.WithTlsOptions(options => options.UseTls(tls).WithClientCertificates(certificate is null ? [] : [certificate])
            .WithCertificateValidationHandler(context => context.Certificate.GetCertHashString() == Server.Thumbprint)).Build();
    }
}
