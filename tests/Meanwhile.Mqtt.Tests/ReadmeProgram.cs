using System.Net;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Tests;

/// <summary>The first program of the package's README, so that it is compiled; that it is the same is tested.</summary>
internal static class ReadmeProgram
{
    public static async Task RunAsync()
    {
        await using var broker = await MqttBroker.StartAsync(
            new BrokerOptions
            {
                Listeners = [new ListenerOptions(new IPEndPoint(IPAddress.Loopback, 1883))],
                Holds = topic => topic.StartsWith("readings/", StringComparison.Ordinal),
            },
            CancellationToken.None);

        var batch = new List<Incoming>();
        while (await broker.Incoming.WaitToReadAsync())
        {
            while (batch.Count < 1000 && broker.Incoming.TryRead(out var incoming))
                batch.Add(incoming);
            foreach (var message in batch.Where(incoming => incoming.Kind == IncomingKind.Message).Select(incoming => incoming.Message!))
                Console.WriteLine($"{message.Topic}: {message.Payload.Length} bytes"); // Make it durable here.
            broker.Complete([.. batch]); // Only now is it acknowledged, and only now do subscribers get it. Its memory is used again.
            batch.Clear();
        }
    }
}
