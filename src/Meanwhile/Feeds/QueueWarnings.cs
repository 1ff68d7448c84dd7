using Meanwhile.Logging;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Says which client's queue is filling at the embedded broker, before it is full. Called from any thread.</summary>
internal sealed class QueueWarnings(FullQueue whenFull, ILogger logger, TimeProvider time)
{
    private readonly LogLimiter _limiter = new(time);

    /// <summary>Takes one in.</summary>
    public void Add(QueueFill fill)
    {
        if (!_limiter.MayLog($"{fill.Level} {fill.ClientId}", out var repeated))
            return;
        var level = fill.Level switch
        {
            QueueLevel.Half => "half full",
            QueueLevel.NineTenths => "nine tenths full",
            _ => whenFull == FullQueue.Drop ? "full, and newer messages for it are dropped" : "full, and publishers to it are refused",
        };
        Log.QueueFills(logger, fill.ClientId, level, fill.Messages, fill.MostMessages, fill.Bytes, fill.MostBytes, fill.IsConnected ? "connected, but too slow" : "away", repeated);
    }
}
