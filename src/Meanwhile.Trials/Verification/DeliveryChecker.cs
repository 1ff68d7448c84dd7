using System.Globalization;
using System.Text.Json;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Verification;

/// <summary>What a trial has left behind, from the publishers' logs to the last results.</summary>
/// <param name="Expectation">What was promised.</param>
/// <param name="Sent">The messages of each topic.</param>
/// <param name="Rows">All rows of these topics in the store.</param>
/// <param name="Redelivered">How many messages the broker has sent to the aggregator with DUP; null where nobody could count.</param>
/// <param name="LastResult">The last result of a topic; null for none.</param>
/// <param name="Windows">The windows of the results.</param>
internal sealed record Evidence(
    Expectation Expectation,
    IReadOnlyDictionary<string, List<SentMessage>> Sent,
    IReadOnlyList<StoredReading> Rows,
    long? Redelivered,
    Func<string, byte[]?> LastResult,
    IReadOnlyList<ResultWindow> Windows);

/// <summary>Accounts for every message, from the publisher's log to the rows in the store to the last result.</summary>
internal sealed class DeliveryChecker
{
    private readonly Evidence _evidence;
    private readonly Dictionary<string, int[]> _copies;

    public DeliveryChecker(Evidence evidence)
    {
        _evidence = evidence;
        _copies = evidence.Sent.ToDictionary(s => s.Key, s => new int[s.Value.Count], StringComparer.Ordinal);
        foreach (var row in evidence.Rows)
            Count(row);
        foreach (var (topic, messages) in evidence.Sent)
        {
            for (var i = 0; i < messages.Count; i++)
                Judge(topic, messages[i], _copies[topic][i]);
            JudgeLastResult(topic);
        }
        JudgeTotal();
    }

    public long Rows => _evidence.Rows.Count;

    public long Sent { get; private set; }

    public long Acknowledged { get; private set; }

    /// <summary>Sent again as the same message, with DUP.</summary>
    public long SentAgain { get; private set; }

    /// <summary>Sent as a new message, because the broker had lost the session.</summary>
    public long SentAnew { get; private set; }

    /// <summary>Acknowledged, or sent at QoS 0, and not in the store.</summary>
    public long Missing { get; private set; }

    /// <summary>Rows beyond the first of a message.</summary>
    public long Extra { get; private set; }

    /// <summary>Results that equal recalculation from the rows.</summary>
    public int RightResults { get; private set; }

    /// <summary>What is wrong; empty when it balances.</summary>
    public List<string> Findings { get; } = [];

    private void Count(in StoredReading row)
    {
        var isKnown = _copies.TryGetValue(row.Topic, out var copies) && row.Number >= 1 && row.Number <= copies.Length && row.Number == Math.Floor(row.Number);
        if (isKnown && _evidence.Sent[row.Topic][(int)row.Number - 1].Time == row.Time)
            copies![(int)row.Number - 1]++;
        else
            Findings.Add($"nobody has sent this row: {row.Topic} number {row.Number.ToString(CultureInfo.InvariantCulture)} epochtime {row.Time / 1000m}");
    }

    private void Judge(string topic, SentMessage message, int copies)
    {
        Sent++;
        SentAgain += message.SentAgain;
        SentAnew += message.SentAnew;
        Extra += Math.Max(copies - 1, 0);
        if (message.IsAcknowledged)
            Acknowledged++;
        else if (_evidence.Expectation != Expectation.AtMostOnce)
            Findings.Add($"never acknowledged: {topic} number {message.Number}");
        if (copies == 0 && (message.IsAcknowledged || _evidence.Expectation == Expectation.AtMostOnce))
        {
            Missing++;
            if (message.IsAcknowledged)
                Findings.Add($"acknowledged and missing: {topic} number {message.Number}");
        }
        var most = _evidence.Expectation == Expectation.AtLeastOnce ? int.MaxValue : 1 + message.SentAnew;
        if (copies > most)
            Findings.Add($"in the store {copies} times: {topic} number {message.Number}, sent {message.SentAnew + 1} times");
    }

    private void JudgeTotal()
    {
        if (_evidence.Expectation == Expectation.AtLeastOnce && _evidence.Redelivered is { } redelivered && Extra > SentAgain + SentAnew + redelivered)
            Findings.Add($"{Extra} rows too many, and only {SentAgain + SentAnew} messages were sent again and {redelivered} redelivered");
    }

    private void JudgeLastResult(string topic)
    {
        var rows = _evidence.Rows.Where(r => r.Topic == topic).ToList();
        if (rows.Count == 0)
            return;
        if (_evidence.LastResult(topic) is not { } result)
        {
            Findings.Add($"no result was published: {topic}");
            return;
        }
        using var document = JsonDocument.Parse(result);
        var wrong = Differences(document.RootElement, rows).ToList();
        Findings.AddRange(wrong.Select(difference => $"the last result is wrong: {topic} {difference}"));
        RightResults += wrong.Count == 0 ? 1 : 0;
    }

    // Numbers are whole and their sum stays far below 2^53, so that plain arithmetic is exact, and the division is the only rounding.
    private IEnumerable<string> Differences(JsonElement result, List<StoredReading> rows)
    {
        var end = rows.Max(r => r.Time);
        foreach (var window in _evidence.Windows)
        {
            var values = rows.Where(r => r.Time >= end - window.Milliseconds).Select(r => (long)r.Number).ToList();
            foreach (var (name, expected) in new[] { ($"avg_{window.Name}", (double)values.Sum() / values.Count), ($"count_{window.Name}", values.Count) })
            {
                if (!result.TryGetProperty(name, out var member) || member.ValueKind != JsonValueKind.Number || member.GetDouble() != expected)
                    yield return $"{name} is {member}, the rows give {expected.ToString(CultureInfo.InvariantCulture)}";
            }
        }
    }
}
