using System.Text.Json;

namespace Meanwhile.Trials.Verification;

/// <summary>Whether a topic has come to rest after its last message: only then can its account be drawn up.</summary>
internal static class Settlement
{
    /// <summary>The last message is in the store, so are all before it that must be, and the last result counts as many readings as there are rows.</summary>
    /// <param name="expectation">What was promised.</param>
    /// <param name="sent">The number of messages sent, which is also the value of the last one.</param>
    /// <param name="values">The values of the topic's rows.</param>
    /// <param name="result">The topic's last result; null for none.</param>
    public static bool IsReached(Expectation expectation, int sent, IEnumerable<double> values, byte[]? result)
    {
        var rows = values.ToList();
        // At QoS 0 accidents may have cost earlier messages, but none comes between the last one and its row.
        var haveArrived = expectation == Expectation.AtMostOnce ? rows.Contains(sent) : rows.Distinct().Count() >= sent;
        return haveArrived && CountIn(result) == rows.Count;
    }

    private static long CountIn(byte[]? result)
    {
        if (result is null)
            return 0;
        using var document = JsonDocument.Parse(result);
        return document.RootElement.GetProperty($"count_{TrialOptions.Windows[^1].Name}").GetInt64();
    }
}
