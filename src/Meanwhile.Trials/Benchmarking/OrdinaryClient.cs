using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>MQTTnet's client as its documentation shows it, which acknowledges a message when its handler has returned. A byte on standard output for each.</summary>
internal static class OrdinaryClient
{
    // Its own cost shall not be that of saying so.
    private static readonly TimeSpan TellInterval = TimeSpan.FromMilliseconds(5);

    public static async Task SubscribeAsync(Target broker, string clientId, string filter, int qos, TimeProvider time, CancellationToken stop)
    {
        var messages = 0;
        using var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += _ =>
        {
            Interlocked.Increment(ref messages);
            return Task.CompletedTask;
        };
        var options = new MqttClientOptionsBuilder().WithTcpServer(broker.Host, broker.Port).WithClientId(clientId).WithProtocolVersion(MqttProtocolVersion.V311);
        if (broker.UserName is not null)
            options.WithCredentials(broker.UserName, broker.Password);
        await client.ConnectAsync(options.Build(), stop);
        await client.SubscribeAsync(filter, (MqttQualityOfServiceLevel)qos, stop);
        await using var output = Console.OpenStandardOutput();
        using var timer = new PeriodicTimer(TellInterval, time);
        while (await timer.WaitForNextTickAsync(stop))
            BareReader.Tell(output, Interlocked.Exchange(ref messages, 0));
    }
}
