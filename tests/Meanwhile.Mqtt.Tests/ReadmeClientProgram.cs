using System.Runtime.InteropServices;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests;

/// <summary>The client's first program of the package's README, so that it is compiled; that it is the same is tested.</summary>
internal static class ReadmeClientProgram
{
    public static async Task RunAsync(CancellationToken stop)
    {
        await using var client = new MqttClient(new ClientOptions
        {
            Server = new Uri("mqtt://127.0.0.1:1883"),
            ClientId = "reader",
            CleanStart = false, // The session outlives this process,
            SessionExpiry = uint.MaxValue, // for ever.
            Connected = (client, accepted, ends) => client.SubscribeAsync([new SubscriptionRequest("readings/#", 2, RetainHandling: RetainHandling.SendIfNew)], cancellationToken: ends),
            Failed = async (failure, stop) => await Console.Error.WriteLineAsync(failure.Message),
        });
        var running = client.RunAsync(stop);

        var batch = new List<Incoming>();
        while (await client.Incoming.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < 1000 && client.Incoming.TryRead(out var incoming))
                batch.Add(incoming);
            foreach (var message in batch.Where(incoming => incoming.Kind == IncomingKind.Message).Select(incoming => incoming.Message!))
                Console.WriteLine($"{message.Topic}: {message.Payload.Length} bytes"); // Make it durable here.
            client.Complete(CollectionsMarshal.AsSpan(batch)); // Only now is it acknowledged. Its memory is used again.
            batch.Clear();
        }
        await running;
    }
}
