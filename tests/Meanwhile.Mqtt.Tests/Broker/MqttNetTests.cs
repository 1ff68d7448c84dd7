using System.Threading.Channels;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Tests.Support;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>MQTTnet's client agrees that this is a broker.</summary>
public class MqttNetTests
{
    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    [Clause("MQTT-4.6.0-5", "MQTT-4.6.0-6")]
    public async Task Messages_at_each_qos_arrive_once_and_in_order(MqttProtocolVersion version)
    {
        await using var broker = await TestBroker.StartAsync();
        var received = Channel.CreateUnbounded<MqttApplicationMessage>();
        using var subscriber = await ConnectAsync(broker, version, received);
        await subscriber.SubscribeAsync("a/+", MqttQualityOfServiceLevel.ExactlyOnce, TestContext.Current.CancellationToken);
        using var publisher = await ConnectAsync(broker, version);
        for (var number = 0; number < 60; number++)
            await publisher.PublishStringAsync("a/b", $"{number}", (MqttQualityOfServiceLevel)(number % 3), cancellationToken: TestContext.Current.CancellationToken);
        for (var number = 0; number < 60; number++)
        {
            var message = await received.Reader.ReadAsync(TestContext.Current.CancellationToken);
            Assert.Equal(($"{number}", number % 3), (message.ConvertPayloadToString(), (int)message.QualityOfServiceLevel));
        }
    }

    [Fact]
    public async Task What_5_0_promises_at_connect_is_said()
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Limits = new BrokerLimits { KeepAlive = TimeSpan.FromSeconds(60), PayloadSize = 5000 } });
        using var client = new MqttClientFactory().CreateMqttClient();
        var options = Options(broker, MqttProtocolVersion.V500).WithClientId("").WithKeepAlivePeriod(TimeSpan.FromSeconds(120)).Build();
        var result = await client.ConnectAsync(options, TestContext.Current.CancellationToken);
        Assert.Equal((60, 5000u + (128 * 1024), 2048), (result.ServerKeepAlive, result.MaximumPacketSize!.Value, result.ReceiveMaximum!.Value));
        Assert.True(result.AssignedClientIdentifier.Length > 0 && result.TopicAliasMaximum > 0);
        Assert.True(result is { RetainAvailable: true, WildcardSubscriptionAvailable: true, SharedSubscriptionAvailable: true, SubscriptionIdentifiersAvailable: true });
    }

    [Fact]
    public async Task Retained_messages_shares_and_identifiers_go_as_subscribed()
    {
        await using var broker = await TestBroker.StartAsync();
        var received = Channel.CreateUnbounded<MqttApplicationMessage>();
        using var client = await ConnectAsync(broker, MqttProtocolVersion.V500, received);
        await client.PublishStringAsync("r", "kept", MqttQualityOfServiceLevel.AtLeastOnce, retain: true, TestContext.Current.CancellationToken);
        var subscription = new MqttClientSubscribeOptionsBuilder().WithSubscriptionIdentifier(42)
            .WithTopicFilter("r", MqttQualityOfServiceLevel.AtLeastOnce, retainAsPublished: true, retainHandling: MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly).Build();
        var granted = await client.SubscribeAsync(subscription, TestContext.Current.CancellationToken);
        Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, Assert.Single(granted.Items).ResultCode);
        await client.SubscribeAsync(subscription, TestContext.Current.CancellationToken);
        await client.PublishStringAsync("r", "live", MqttQualityOfServiceLevel.AtLeastOnce, retain: true, TestContext.Current.CancellationToken);
        foreach (var expected in new[] { "kept", "live" })
        {
            var message = await received.Reader.ReadAsync(TestContext.Current.CancellationToken);
            Assert.Equal((expected, true, 42u), (message.ConvertPayloadToString(), message.Retain, Assert.Single(message.SubscriptionIdentifiers)));
        }
    }

    [Fact]
    public async Task The_will_of_a_client_that_is_taken_over_is_published_and_the_client_is_told()
    {
        await using var broker = await TestBroker.StartAsync();
        var received = Channel.CreateUnbounded<MqttApplicationMessage>();
        using var watcher = await ConnectAsync(broker, MqttProtocolVersion.V500, received);
        await watcher.SubscribeAsync("will", MqttQualityOfServiceLevel.ExactlyOnce, TestContext.Current.CancellationToken);
        using var first = new MqttClientFactory().CreateMqttClient();
        var told = new TaskCompletionSource<MqttClientDisconnectReason>(TaskCreationOptions.RunContinuationsAsynchronously);
        first.DisconnectedAsync += disconnected =>
        {
            told.TrySetResult(disconnected.Reason);
            return Task.CompletedTask;
        };
        var options = Options(broker, MqttProtocolVersion.V500).WithClientId("me").WithWillTopic("will").WithWillPayload("gone").WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        await first.ConnectAsync(options, TestContext.Current.CancellationToken);
        using var second = new MqttClientFactory().CreateMqttClient();
        await second.ConnectAsync(options, TestContext.Current.CancellationToken);
        Assert.Equal(MqttClientDisconnectReason.SessionTakenOver, await told.Task.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal("gone", (await received.Reader.ReadAsync(TestContext.Current.CancellationToken)).ConvertPayloadToString());
    }

    private static MqttClientOptionsBuilder Options(MqttBroker broker, MqttProtocolVersion version) =>
        new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.EndPoints[0].Port).WithProtocolVersion(version);

    private static async Task<IMqttClient> ConnectAsync(MqttBroker broker, MqttProtocolVersion version, Channel<MqttApplicationMessage>? received = null)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += message => received is null ? Task.CompletedTask : received.Writer.WriteAsync(message.ApplicationMessage).AsTask();
        await client.ConnectAsync(Options(broker, version).Build(), TestContext.Current.CancellationToken);
        return client;
    }
}
