using System.Text;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>
/// Ends the subscriptions that an earlier run has left in our session. A broker does not tell which they are, but messages that match no filter in force
/// do: whatever filter may have let one through is unsubscribed from, the likeliest first and a few at a time. The session, and what waits in it, stays.
/// </summary>
/// <param name="filter">In force: it stays as well.</param>
internal sealed class SurplusSubscriptions(string filter, ILogger logger)
{
    private const int AtOnce = 8; // There are brokers that take no more.
    private const int MostBytes = 16 << 10;
    private const int MostOfATopic = 1000;
    private const int MostInAll = 10_000;
    private const int FewLevels = 8; // Of which every combination of wildcards is tried.

    private readonly HashSet<string> _tried = new(StringComparer.Ordinal) { filter };
    private readonly Queue<string> _candidates = new();
    private List<string> _asked = [];

    /// <summary>A connection was accepted. What was asked on the one before is not asked again: it may have ended because of that.</summary>
    public void Connected(bool sessionPresent)
    {
        _asked = [];
        if (sessionPresent)
            return;
        _candidates.Clear();
        _tried.Clear();
        _tried.Add(filter);
    }

    /// <summary>A message came whose topic does not match the filter in force.</summary>
    public void Saw(string topic)
    {
        if (_asked.Count > 0 || _candidates.Count > 0 || _tried.Count >= MostInAll)
            return;
        foreach (var candidate in FiltersOf(topic).Take(MostOfATopic).Where(candidate => Topic.IsFilter(candidate) && Topic.FaultOfText(candidate) is null)) // $share/# is none, and that of a long topic may be too long.
            _candidates.Enqueue(candidate);
    }

    /// <summary>What to unsubscribe from next; null for nothing. One UNSUBSCRIBE at a time.</summary>
    public List<string>? Next()
    {
        if (_asked.Count > 0)
            return null;
        _asked = [];
        var bytes = 0;
        while (_asked.Count < AtOnce && _candidates.TryPeek(out var candidate) && (bytes += Encoding.UTF8.GetByteCount(candidate)) <= (_asked.Count == 0 ? int.MaxValue : MostBytes))
        {
            _candidates.Dequeue();
            if (_tried.Add(candidate))
                _asked.Add(candidate);
        }
        return _asked.Count == 0 ? null : _asked;
    }

    /// <summary>The broker has answered.</summary>
    /// <param name="asked">What <see cref="Next"/> gave; that of an earlier connection says nothing.</param>
    /// <param name="answers">In 5.0 it says which of them there were; before, nothing.</param>
    public void Answered(List<string> asked, IReadOnlyList<ReasonCode> answers)
    {
        if (asked != _asked)
            return;
        for (var i = 0; i < Math.Min(answers.Count, _asked.Count); i++)
        {
            if (answers[i] != ReasonCode.Success)
                continue;
            Log.SurplusEnded(logger, _asked[i]);
            _candidates.Clear(); // If there are more, more messages will tell.
        }
        _asked = [];
    }

    /// <summary>Filters that match a topic, the likeliest first.</summary>
    internal static IEnumerable<string> FiltersOf(string topic)
    {
        var levels = topic.Split('/');
        yield return topic;
        foreach (var wildcards in Wildcards(levels.Length).Prepend(0UL))
        {
            if ((wildcards & 1) > 0 && topic.StartsWith('$'))
                continue; // [MQTT-4.7.2-1]
            var filter = new StringBuilder();
            for (var level = 0; level < levels.Length; level++)
            {
                if (wildcards >> level == 0 && (level > 0 || !topic.StartsWith('$')))
                    yield return $"{filter}#"; // In place of this level and all that follow.
                filter.Append(IsWildcard(wildcards, level) ? "+" : levels[level]).Append('/');
            }
            yield return $"{filter}#"; // It matches its parent as well.
            if (wildcards > 0)
                yield return filter.ToString(0, filter.Length - 1);
        }
    }

    private static bool IsWildcard(ulong wildcards, int level) => level < 64 && (wildcards >> level & 1) > 0;

    // A bit for each level; of many levels, one or two of the first.
    private static IEnumerable<ulong> Wildcards(int levels)
    {
        if (levels <= FewLevels)
        {
            for (var wildcards = 1UL; wildcards < 1UL << levels; wildcards++)
                yield return wildcards;
            yield break;
        }
        for (var first = 0; first < Math.Min(levels, 64); first++)
        {
            for (var second = first; second >= 0; second--)
                yield return 1UL << first | 1UL << second;
        }
    }
}
