using System.Buffers;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Terminal;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Protocol;

namespace Meanwhile.Clients;

/// <summary>The seed's stats subscriber: a table for each result.</summary>
/// <param name="broker">Where results come from.</param>
/// <param name="filter">Their topics.</param>
/// <param name="output">Where tables go.</param>
internal sealed class StatsWatcher(BrokerSettings broker, string filter, TextWriter output, ReadyFile ready, ILogger logger, TimeProvider time)
{
    // Results are about the last half hour: older ones need not wait for us.
    private const uint SessionExpirySeconds = 35 * 60;

    private readonly LogLimiter _limiter = new(time);

    /// <summary>Watches until told to stop.</summary>
    /// <param name="subscribed">Called each time that it is subscribed.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(Action subscribed, CancellationToken stop)
    {
        await using var client = new BrokerClient(broker, SessionExpirySeconds, logger, time);
        client.Client.ApplicationMessageReceivedAsync += ShowAsync;
        client.Client.DisconnectedAsync += _ =>
        {
            ready.Set(false);
            return Task.CompletedTask;
        };
        try
        {
            await client.KeepConnectedAsync(() => SubscribeAsync(client.Client, subscribed, stop), stop);
        }
        finally
        {
            ready.Set(false);
        }
    }

    private async Task SubscribeAsync(IMqttClient client, Action subscribed, CancellationToken stop)
    {
        var options = new MqttClientSubscribeOptionsBuilder().WithTopicFilter(filter, MqttQualityOfServiceLevel.ExactlyOnce).Build();
        try
        {
            var result = await client.SubscribeAsync(options, stop);
            if (result.Items.FirstOrDefault(i => i.ResultCode >= MqttClientSubscribeResultCode.UnspecifiedError) is { } refused)
                throw new UserException($"the broker refuses the subscription to '{filter}' ({refused.ResultCode}): check STATS_TOPIC and what this user may read");
        }
        catch (Exception e) when (BrokerClient.IsConnectionLoss(e))
        {
            throw new BrokerException(BrokerFailure.Describe(e), e);
        }
        Log.Subscribed(logger, filter);
        ready.Set(true);
        subscribed();
    }

    private Task ShowAsync(MqttApplicationMessageReceivedEventArgs received)
    {
        var message = received.ApplicationMessage;
        if (StatsTable.TryFormat(message.Payload.ToArray(), out var table, out var reason))
            output.Write(table);
        else if (_limiter.MayLog(reason!, out var repeated))
            Log.NoResult(logger, reason!, message.Topic, repeated);
        return Task.CompletedTask;
    }
}
