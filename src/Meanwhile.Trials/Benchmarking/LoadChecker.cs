using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Accounts for every message: what was sent, beside what is in the store and what the last results say.</summary>
internal static class LoadChecker
{
    private const int MostSeries = 3;

    /// <summary>Compares with the rows of the load's topics.</summary>
    public static IEnumerable<string> OfRows(Sent sent, StoredRows rows) => Few(Enumerable.Range(0, sent.Counts.Length)
        .Where(i => rows.Counts[i] != sent.Counts[i] || rows.Sums[i] != sent.Sums[i])
        .Select(i => $"{sent.Counts[i]:N0} messages with the sum {sent.Sums[i]:N0} were sent to {PublishTemplate.TopicOf(rows.Topic, i)}, and the store has {rows.Counts[i]:N0} rows with the sum {rows.Sums[i]:N0}"));

    /// <summary>Compares with the last results.</summary>
    /// <param name="before">Readings of the first series that were there before, each with the number 1.</param>
    /// <param name="counts">As the last result of each series says it.</param>
    /// <param name="means">As the last result of each series says it.</param>
    public static IEnumerable<string> OfResults(Sent sent, int before, long[] counts, double[] means) => Few(Enumerable.Range(0, counts.Length).SelectMany(i =>
    {
        var (count, sum) = (sent.Counts[i] + (i == 0 ? before : 0), sent.Sums[i] + (i == 0 ? before : 0));
        if (counts[i] != count)
            return [$"the last result of series {i} counts {counts[i]:N0} readings, expected {count:N0}"];
        return count > 0 && means[i] != (double)sum / count ? [$"the last result of series {i} has the mean {means[i]}, expected {(double)sum / count}"] : Array.Empty<string>();
    }));

    /// <summary>Compares with the ledger that the program shows when it stops.</summary>
    /// <param name="ledger">The line; null when there was none.</param>
    public static IEnumerable<string> OfLedger(Sent sent, int qos, string? ledger)
    {
        if (ledger is null)
            return ["it has shown no ledger"];
        var isRight = ledger.Contains($"committed {sent.Total} ", StringComparison.Ordinal) && (qos == 0 || ledger.Contains($"; acknowledged {sent.Total};", StringComparison.Ordinal));
        return isRight ? [] : [$"{sent.Total} messages were sent, and its ledger says: {ledger}"];
    }

    private static List<string> Few(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        return all.Count <= MostSeries ? all : [.. all.Take(MostSeries), $"and {all.Count - MostSeries:N0} more series like these"];
    }
}

/// <summary>What a store has of a load's topics; rows with a number below ten were there before.</summary>
/// <param name="topic">What is before the number of the series.</param>
/// <param name="series">How many topics.</param>
internal sealed class StoredRows(string topic, int series)
{
    public string Topic => topic;

    /// <summary>Rows of each series.</summary>
    public int[] Counts { get; } = new int[series];

    /// <summary>The sum of the numbers of each series.</summary>
    public double[] Sums { get; } = new double[series];

    /// <summary>Counts a row of any topic.</summary>
    public void Add(StoredReading row)
    {
        if (row.Number < 10 || !row.Topic.StartsWith(topic, StringComparison.Ordinal))
            return;
        var number = int.Parse(row.Topic.AsSpan(topic.Length + 1));
        Counts[number]++;
        Sums[number] += row.Number;
    }
}
