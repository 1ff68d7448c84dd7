using System.Threading.Channels;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>Ends of our own and ends of others, crossed, at every QoS and in both versions: messages arrive once, and in order.</summary>
public class CrossedTests
{
    private const int Messages = 60;
    private const string Ours = "ours";
    private const string MqttNet = "MQTTnet";
    private const string Mosquitto = "mosquitto";

    private static readonly (string Broker, string Publisher, string Subscriber)[] Ends =
    [
        (Ours, Ours, Ours), (Ours, Ours, MqttNet), (Ours, MqttNet, Ours), (Ours, MqttNet, MqttNet), (Mosquitto, Ours, Ours), (Mosquitto, Ours, MqttNet), (Mosquitto, MqttNet, Ours),
        (MqttNet, Ours, Ours), (MqttNet, Ours, MqttNet), (MqttNet, MqttNet, Ours),
    ];

    private static readonly ProtocolVersion[] Versions = [ProtocolVersion.V311, ProtocolVersion.V5];

    /// <summary>A broker, a publisher, a subscriber; a version and a QoS.</summary>
    public static TheoryData<string, string, string, ProtocolVersion, int> Table => [..
        from ends in Ends
        from version in Versions
        from qos in Enumerable.Range(0, 3)
        select (ends.Broker, ends.Publisher, ends.Subscriber, version, qos)];

    [Theory(Timeout = 60_000), MemberData(nameof(Table))]
    public async Task Messages_arrive_once_and_in_order(string broker, string publisher, string subscriber, ProtocolVersion version, int qos)
    {
        await using var ours = broker == Ours ? await TestBroker.StartAsync() : null;
        await using var mosquitto = broker == Mosquitto ? await MosquittoBroker.StartAsync() : null;
        var port = ours?.EndPoints[0].Port ?? mosquitto?.Address.Port ?? MosquittoBroker.FreePort();
        using var mqttNet = broker == MqttNet ? await StartAsync(port) : null;

        await using var from = await Peer.ConnectAsync(publisher, port, version);
        await using var to = await Peer.ConnectAsync(subscriber, port, version);
        await to.SubscribeAsync(qos);
        var publishing = from.PublishAllAsync(qos);
        for (var number = 0; number < Messages; number++)
            Assert.Equal($"a/b {qos} {number}", await to.ReadAsync().WaitAsync(TestContext.Current.CancellationToken));
        await publishing;
    }

    private static async Task<MqttServer> StartAsync(int port)
    {
        var server = new MqttServerFactory().CreateMqttServer(
            new MqttServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointBoundIPAddress(System.Net.IPAddress.Loopback).WithDefaultEndpointPort(port).Build());
        await server.StartAsync();
        return server;
    }

    private sealed class Peer : IAsyncDisposable
    {
        private readonly Channel<string> _received = Channel.CreateUnbounded<string>();
        private IMqttClient? _other;
        private TestClient? _ours;

        public static async Task<Peer> ConnectAsync(string kind, int port, ProtocolVersion version)
        {
            var peer = new Peer();
            if (kind == Ours)
            {
                peer._ours = TestClient.Start(new Uri($"mqtt://127.0.0.1:{port}"), options => options with { ClientId = $"{Guid.NewGuid():N}"[..20], Version = version });
                return peer;
            }
            peer._other = new MqttClientFactory().CreateMqttClient();
            peer._other.ApplicationMessageReceivedAsync += e => peer._received.Writer.WriteAsync(
                $"{e.ApplicationMessage.Topic} {(int)e.ApplicationMessage.QualityOfServiceLevel} {e.ApplicationMessage.ConvertPayloadToString()}").AsTask();
            var mqttNetVersion = version == ProtocolVersion.V5 ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311;
            await peer._other.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithProtocolVersion(mqttNetVersion).Build(), TestContext.Current.CancellationToken);
            return peer;
        }

        public async Task SubscribeAsync(int qos)
        {
            if (_ours is not null)
                Assert.Equal(qos, (int)await _ours.SubscribeAsync("a/+", qos));
            else
                await _other!.SubscribeAsync("a/+", (MqttQualityOfServiceLevel)qos, TestContext.Current.CancellationToken);
        }

        // Ours all at once; MQTTnet would send more than the server takes.
        public async Task PublishAllAsync(int qos)
        {
            if (_ours is not null)
                Assert.All(await Task.WhenAll(Enumerable.Range(0, Messages).Select(number => _ours.PublishAsync("a/b", $"{number}", qos))), reason => Assert.True(reason < ReasonCode.UnspecifiedError));
            for (var number = 0; _other is not null && number < Messages; number++)
                await _other.PublishStringAsync("a/b", $"{number}", (MqttQualityOfServiceLevel)qos, cancellationToken: TestContext.Current.CancellationToken);
        }

        public async Task<string> ReadAsync() => _ours is not null ? await _ours.ReadTextAsync() : await _received.Reader.ReadAsync(TestContext.Current.CancellationToken);

        public async ValueTask DisposeAsync()
        {
            _other?.Dispose();
            if (_ours is not null)
                await _ours.DisposeAsync();
        }
    }
}
