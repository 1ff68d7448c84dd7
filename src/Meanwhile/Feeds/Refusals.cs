using Meanwhile.Logging;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Counts what the embedded broker refuses or drops, and says it, one line a minute for each cause. Called from any thread.</summary>
internal sealed class Refusals(ILogger logger, TimeProvider time)
{
    private readonly LogLimiter _limiter = new(time);
    private readonly Lock _gate = new();
    private readonly Dictionary<RefusalKind, long> _counts = [];
    private readonly Dictionary<(RefusalKind Kind, ReasonCode Reason, DropKind Drop), string> _causes = []; // Copies are dropped by the million.

    /// <summary>How many there were of a kind.</summary>
    public long Count(RefusalKind kind)
    {
        lock (_gate)
            return _counts.GetValueOrDefault(kind);
    }

    /// <summary>Takes one in.</summary>
    public void Add(Refusal refusal)
    {
        string repeated;
        lock (_gate)
        {
            _counts[refusal.Kind] = _counts.GetValueOrDefault(refusal.Kind) + refusal.Count;
            // Who has the wrong port does not hide another who has another one. There are not many such explanations.
            if (!_limiter.MayLog(refusal.From.Length > 0 ? refusal.Explanation : CauseOf(refusal), out repeated))
                return;
        }
        var from = refusal.From.Length == 0 ? "" : $"; from {refusal.From}";
        Say(refusal, refusal.Explanation.Length == 0 ? "" : $": {refusal.Explanation}{from}", repeated);
    }

    /// <summary>Takes in that the certificate of a client is not trusted, so that it was not heard at all.</summary>
    public void AddCertificate(string problem) => Add(new Refusal(RefusalKind.Login, "", ReasonCode.NotAuthorized, problem));

    /// <summary>Says how many there were, if there were any.</summary>
    /// <param name="statistics">The broker's own, at its end.</param>
    public void Sum(BrokerStatistics statistics)
    {
        if (_counts.Keys.Any(kind => kind != RefusalKind.Drop))
        {
            Log.RefusedInAll(
                logger, Count(RefusalKind.Connection), Count(RefusalKind.Message), Count(RefusalKind.Login), Count(RefusalKind.Session), Count(RefusalKind.Subscription), Count(RefusalKind.Copy));
        }
        if (Count(RefusalKind.Drop) > 0)
        {
            Log.DroppedInAll(
                logger,
                statistics.MessagesExpired,
                statistics.MessagesTooLarge,
                statistics.MessagesUnreadable,
                statistics.MessagesUnsent,
                statistics.MessagesDiscarded,
                statistics.MessagesNotTakenIn,
                statistics.MessagesWithoutMemory);
        }
    }

    private void Say(Refusal refusal, string explanation, string repeated)
    {
        if (refusal is { Kind: RefusalKind.Connection, ClientId: "" }) // It has not said yet who it is.
            Log.ConnectionRefused(logger, refusal.Reason, explanation, repeated);
        else if (refusal.Kind == RefusalKind.Connection)
            Log.ClientRefused(logger, refusal.ClientId, refusal.Reason, explanation, repeated);
        else if (refusal.Kind is RefusalKind.Login or RefusalKind.Session)
            Log.LoginRefused(logger, refusal.ClientId, refusal.Reason, explanation, repeated);
        else if (refusal.Kind == RefusalKind.Message)
            Log.MessageRefused(logger, refusal.ClientId, refusal.Reason, explanation, repeated);
        else if (refusal.Kind == RefusalKind.Subscription)
            Log.SubscriptionRefused(logger, refusal.ClientId, refusal.Reason, explanation, repeated);
        else if (refusal.Kind == RefusalKind.Copy)
            Log.CopyDropped(logger, refusal.ClientId, repeated);
        else
            SayDropped(refusal, repeated);
    }

    private string CauseOf(in Refusal refusal)
    {
        var cause = (refusal.Kind, refusal.Reason, refusal.Drop);
        if (!_causes.TryGetValue(cause, out var text))
            _causes.Add(cause, text = $"{refusal.Kind} {refusal.Reason} {refusal.Drop}");
        return text;
    }

    // What a publisher asked for, and what QoS 0 is, is nothing to warn of.
    private void SayDropped(Refusal refusal, string repeated)
    {
        var level = refusal.Drop is DropKind.Expired or DropKind.Unsent ? LogLevel.Information : LogLevel.Warning;
        Log.MessagesDropped(logger, level, refusal.Count, refusal.ClientId, refusal.Explanation, repeated);
    }
}
