using System.Collections.Concurrent;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Trials.Verification;

/// <summary>Keeps the last result that was published for each series.</summary>
internal sealed class LastResults(ClientOptions options, string statsTopic)
{
    private readonly ConcurrentDictionary<string, byte[]> _results = new(StringComparer.Ordinal);

    /// <summary>The last result of a series; null for none.</summary>
    public byte[]? Of(string series) => _results.GetValueOrDefault($"{statsTopic}/{series}");

    /// <summary>Watches, through as many connections as it takes, until told to stop.</summary>
    /// <exception cref="TrialException">The broker refuses us.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        await using var client = new MqttClient(options with
        {
            CleanStart = false,
            SessionExpiry = uint.MaxValue,
            Connected = (client, _, ends) => client.SubscribeAsync([new SubscriptionRequest(statsTopic + "/#", 2)], cancellationToken: ends),
        });
        var running = client.RunAsync(stop);
        while (await client.Incoming.WaitToReadAsync(CancellationToken.None)) // It ends when it is told to stop.
        {
            while (client.Incoming.TryRead(out var incoming))
            {
                if (incoming.Message is { } message)
                    _results[message.Topic] = message.Payload.ToArray();
                client.Complete([incoming]);
            }
        }
        await client.DisposeAsync();
        try
        {
            await running;
        }
        catch (MqttClientException e)
        {
            throw new TrialException($"{options.Server.OriginalString} does not let the client '{options.ClientId}' in ({e.Message}): check MQTT_USERNAME, MQTT_PASSWORD_FILE and, with TLS, whose certificates this machine trusts", e);
        }
    }
}
