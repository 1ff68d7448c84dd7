using System.Buffers;
using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Terminal;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Protocol;

namespace Meanwhile.Clients;

/// <summary>The seed's stats subscriber, but for what it shows.</summary>
/// <param name="broker">Where results come from.</param>
/// <param name="filter">Their topics.</param>
/// <param name="show">Takes a result: its topic and its members.</param>
/// <param name="subscribed">Called each time that it is subscribed, and when it is no longer.</param>
internal sealed class StatsWatcher(
    BrokerSettings broker, string filter, Action<string, IReadOnlyList<StatsMember>> show, Action<bool> subscribed, ILogger logger, TimeProvider time)
{
    // Results are about the last half hour: older ones need not wait for us.
    private const uint SessionExpirySeconds = 35 * 60;

    private readonly LogLimiter _limiter = new(time);

    /// <summary>Watches until told to stop.</summary>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        await using var client = new BrokerClient(broker, SessionExpirySeconds, logger, time);
        client.Client.ApplicationMessageReceivedAsync += ShowAsync;
        client.Client.DisconnectedAsync += _ =>
        {
            subscribed(false);
            return Task.CompletedTask;
        };
        try
        {
            await client.KeepConnectedAsync(() => SubscribeAsync(client, stop), stop);
        }
        finally
        {
            subscribed(false);
        }
    }

    private async Task SubscribeAsync(BrokerClient client, CancellationToken stop)
    {
        var options = new MqttClientSubscribeOptionsBuilder().WithTopicFilter(filter, MqttQualityOfServiceLevel.ExactlyOnce).Build();
        try
        {
            var result = await client.Client.SubscribeAsync(options, stop);
            if (result.Items.FirstOrDefault(i => i.ResultCode >= MqttClientSubscribeResultCode.UnspecifiedError) is { } refused)
                throw new UserException($"the broker refuses the subscription to '{filter}' ({refused.ResultCode}): check STATS_TOPIC and what this user may read");
        }
        catch (Exception e) when (BrokerClient.IsConnectionLoss(e))
        {
            throw new BrokerException(BrokerFailure.Describe(e), e);
        }
        client.Subscribed(filter);
        subscribed(true);
    }

    private Task ShowAsync(MqttApplicationMessageReceivedEventArgs received)
    {
        var message = received.ApplicationMessage;
        var payload = message.Payload.ToArray();
        if (logger.IsEnabled(LogLevel.Debug))
            Log.Received(logger, message.Topic, Encoding.UTF8.GetString(payload));
        if (StatsResult.TryParse(payload, out var members, out var reason))
            show(message.Topic, members);
        else if (_limiter.MayLog(reason!, out var repeated))
            Log.NoResult(logger, reason!, message.Topic, repeated);
        return Task.CompletedTask;
    }
}
