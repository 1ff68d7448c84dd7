using Meanwhile.Logging;
using Microsoft.Extensions.Logging;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>Counts the results that a broker elsewhere does not take, and says so, one line a minute for each cause. Called from any thread.</summary>
/// <param name="count">Called for each.</param>
internal sealed class ResultRefusals(Action count, ILogger logger, TimeProvider time)
{
    private readonly LogLimiter _limiter = new(time);

    /// <summary>The broker has answered that it does not take one.</summary>
    public void ByBroker(MqttPubAckReasonCode reason) => Add($"{reason}", "check STATS_TOPIC and what this user may write");

    /// <summary>One was not sent, because the broker would have ended the connection [MQTT-3.2.2-15].</summary>
    public void TooLarge(uint largest) => Add($"it takes packets of at most {largest} bytes", "raise its limit, or ask for fewer --windows and --stats");

    private void Add(string reason, string advice)
    {
        count();
        if (_limiter.MayLog(reason, out var repeated))
            Log.ResultRefused(logger, reason, advice, repeated);
    }
}
