using System.Collections.Concurrent;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Counts the results that a broker elsewhere does not take, and says so, one line a minute for each cause. Called from any thread.</summary>
/// <param name="count">Called for each.</param>
internal sealed class ResultRefusals(Action count, ILogger logger, TimeProvider time)
{
    // Whoever may write there by then is heard again; until then, no connection ends because of it.
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);
    private const int MostTopics = 10_000;

    private readonly LogLimiter _limiter = new(time);
    private readonly ConcurrentDictionary<string, long> _paused = new(StringComparer.Ordinal);

    /// <summary>The broker has answered that it does not take one.</summary>
    public void ByBroker(ReasonCode reason) => Add($"{reason}", $"{reason}", "check STATS_TOPIC and what this user may write");

    /// <summary>One was not sent, because the broker would have ended the connection [MQTT-3.2.2-15].</summary>
    public void TooLarge(uint largest) =>
        Add(nameof(TooLarge), $"it takes packets of at most {largest} bytes", "raise its limit, or ask for fewer --windows and --stats");

    /// <summary>The broker ends the connection when it gets one of this topic.</summary>
    public void ByClosing(string topic)
    {
        if (_paused.Count < MostTopics)
            _paused[topic] = time.GetTimestamp();
        Add(
            nameof(ByClosing),
            $"it ends the connection whenever one is sent to '{topic}'",
            $"nothing is sent there for {Pause.TotalMinutes} minutes; check STATS_TOPIC, what this user may write, and the broker's limits");
    }

    /// <summary>Whether results of a topic are sent; otherwise one more is counted.</summary>
    public bool Sends(string topic)
    {
        if (_paused.IsEmpty || !_paused.TryGetValue(topic, out var since))
            return true;
        if (time.GetElapsedTime(since) < Pause)
        {
            count();
            return false;
        }
        _paused.TryRemove(topic, out _);
        return true;
    }

    private void Add(string cause, string reason, string advice)
    {
        count();
        if (_limiter.MayLog(cause, out var repeated))
            Log.ResultRefused(logger, reason, advice, repeated);
    }
}
