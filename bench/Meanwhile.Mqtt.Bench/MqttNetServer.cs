using MQTTnet.Server;

namespace Meanwhile.Mqtt.Bench;

/// <summary>The library's broker, which ours took the place of.</summary>
internal static class MqttNetServer
{
    /// <summary>Serves until it is killed.</summary>
    public static async Task RunAsync(int port)
    {
        var server = new MqttServerFactory().CreateMqttServer(
            new MqttServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointPort(port).WithMaxPendingMessagesPerClient(1_000_000).Build());
        await server.StartAsync();
        Console.WriteLine("listening");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
    }
}
