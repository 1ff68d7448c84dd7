using Meanwhile.Logging;
using Meanwhile.Mqtt.Broker;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Counts what the embedded broker refuses or drops, and says it, one line a minute for each cause. Called from any thread.</summary>
internal sealed class Refusals(ILogger logger, TimeProvider time)
{
    private readonly LogLimiter _limiter = new(time);
    private readonly Lock _gate = new();
    private long _connections;
    private long _messages;
    private long _copies;

    /// <summary>Takes one in.</summary>
    public void Add(Refusal refusal)
    {
        string repeated;
        lock (_gate)
        {
            if (refusal.Kind == RefusalKind.Connection)
                _connections++;
            else if (refusal.Kind == RefusalKind.Message)
                _messages++;
            else
                _copies++;
            if (!_limiter.MayLog($"{refusal.Kind} {refusal.Reason}", out repeated))
                return;
        }
        var explanation = refusal.Explanation.Length == 0 ? "" : $": {refusal.Explanation}";
        if (refusal.Kind == RefusalKind.Connection)
            Log.ClientRefused(logger, refusal.ClientId, refusal.Reason, explanation, repeated);
        else if (refusal.Kind == RefusalKind.Message)
            Log.MessageRefused(logger, refusal.ClientId, refusal.Reason, explanation, repeated);
        else
            Log.CopyDropped(logger, refusal.ClientId, repeated);
    }

    /// <summary>Says how many there were, if there were any.</summary>
    public void Sum()
    {
        lock (_gate)
        {
            if (_connections + _messages + _copies > 0)
                Log.RefusedInAll(logger, _connections, _messages, _copies);
        }
    }
}
