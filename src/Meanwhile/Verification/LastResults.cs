using System.Buffers;
using System.Collections.Concurrent;
using Meanwhile.Clients;
using Meanwhile.Feeds;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Meanwhile.Verification;

/// <summary>Keeps the last result that was published for each series.</summary>
internal sealed class LastResults(BrokerSettings broker, string statsTopic, TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<string, byte[]> _results = new(StringComparer.Ordinal);

    /// <summary>The last result of a series; null for none.</summary>
    public byte[]? Of(string series) => _results.GetValueOrDefault($"{statsTopic}/{series}");

    /// <summary>Watches, through as many connections as it takes, until told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += received =>
        {
            _results[received.ApplicationMessage.Topic] = received.ApplicationMessage.Payload.ToArray();
            return Task.CompletedTask;
        };
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (!client.IsConnected)
                {
                    await client.ConnectAsync(broker.ToClientOptions(MqttProtocolVersion.V311, sessionExpiry: uint.MaxValue), stop);
                    await client.SubscribeAsync(statsTopic + "/#", MqttQualityOfServiceLevel.ExactlyOnce, stop);
                }
            }
            catch (Exception e) when (BrokerClient.IsConnectionLoss(e) || e is OperationCanceledException or MqttProtocolViolationException or InvalidOperationException)
            {
                // The last while the client still closes. The next round tries again.
            }
            await Task.Delay(LookInterval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
