using System.Reflection;
using Meanwhile.Clients;
using MQTTnet;
using MQTTnet.Protocol;

namespace Meanwhile.Tests.Clients;

public sealed class ConnectionLossTests
{
    [Fact]
    public async Task What_the_library_throws_when_the_connection_goes_as_a_request_begins_is_a_lost_connection()
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var status = client.GetType().GetField("_connectionStatus", BindingFlags.NonPublic | BindingFlags.Instance)!;
        // The state between the check that it is connected and the request: connected, and its adapter already gone.
        status.SetValue(client, 2); // Connected.
        Assert.True(client.IsConnected);

        var thrown = await Assert.ThrowsAsync<NullReferenceException>(() =>
            client.SubscribeAsync("a", MqttQualityOfServiceLevel.ExactlyOnce, TestContext.Current.CancellationToken));

        Assert.True(BrokerClient.IsConnectionLoss(thrown));

        // A fault of our own must be seen.
        thrown.Source = typeof(BrokerClient).Assembly.GetName().Name;
        Assert.False(BrokerClient.IsConnectionLoss(thrown));
    }
}
