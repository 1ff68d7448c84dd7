using Meanwhile.Trials.Benchmarking;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Tests.Trials;

/// <summary>An account that lacks a single message says so.</summary>
public class LoadCheckerTests
{
    private readonly Sent _sent = new(series: 3);

    public LoadCheckerTests()
    {
        foreach (var series in new[] { 0, 1, 1, 2, 2, 2 })
            _sent.Next(series);
        _sent.Add(6);
    }

    [Fact]
    public void Rows_that_were_sent_balance_whatever_else_is_in_the_store()
    {
        Assert.Empty(OfRows([.. Rows(), new("other/0000000", 1, 50), new("t/0000000", 1, 1)]));
    }

    [Fact]
    public void A_row_that_is_missing_doubled_or_changed_is_found()
    {
        Assert.Equal(["2 messages with the sum 21 were sent to t/0000001, and the store has 1 rows with the sum 10"], OfRows(Rows().Where((_, i) => i != 2)));
        Assert.Equal(["1 messages with the sum 10 were sent to t/0000000, and the store has 2 rows with the sum 20"], OfRows(Rows().Append(Rows()[0])));
        Assert.Single(OfRows(Rows().Select((row, i) => i == 5 ? row with { Number = 13 } : row)));
    }

    [Fact]
    public void Last_results_that_lack_a_reading_or_have_another_mean_are_found()
    {
        Assert.Empty(LoadChecker.OfResults(_sent, before: 4, [5, 2, 3], [14 / 5.0, 10.5, 11]));
        Assert.Equal(["the last result of series 1 counts 1 readings, expected 2"], LoadChecker.OfResults(_sent, before: 0, [1, 1, 3], [10, 10, 11]));
        Assert.Equal(["the last result of series 2 has the mean 11.5, expected 11"], LoadChecker.OfResults(_sent, before: 0, [1, 2, 3], [10, 10.5, 11.5]));
        Assert.Equal(3, LoadChecker.OfResults(_sent, before: 0, [0, 0, 0], [0, 0, 0]).Count());
    }

    [Fact]
    public void A_ledger_that_lacks_a_message_is_found()
    {
        const string Right = "received 6 = committed 6 + quarantined 0 + duplicates 0 + expired 0; acknowledged 6; with DUP 0";
        Assert.Empty(LoadChecker.OfLedger(_sent, qos: 1, Right));
        Assert.Single(LoadChecker.OfLedger(_sent, qos: 1, Right.Replace("committed 6", "committed 5", StringComparison.Ordinal)));
        Assert.Single(LoadChecker.OfLedger(_sent, qos: 2, Right.Replace("acknowledged 6", "acknowledged 5", StringComparison.Ordinal)));
        Assert.Empty(LoadChecker.OfLedger(_sent, qos: 0, Right.Replace("acknowledged 6", "acknowledged 0", StringComparison.Ordinal)));
        Assert.Equal(["it has shown no ledger"], LoadChecker.OfLedger(_sent, qos: 1, ledger: null));
    }

    private IEnumerable<string> OfRows(IEnumerable<StoredReading> readings)
    {
        var rows = new StoredRows("t", series: 3);
        foreach (var reading in readings)
            rows.Add(reading);
        return LoadChecker.OfRows(_sent, rows);
    }

    // As they were sent: numbers from ten on, series by series.
    private static StoredReading[] Rows() => [Row(0, 10), Row(1, 10), Row(1, 11), Row(2, 10), Row(2, 11), Row(2, 12)];

    private static StoredReading Row(int series, int number) => new(PublishTemplate.TopicOf("t", series), 1_700_000_000_000, number);
}
