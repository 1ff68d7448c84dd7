using System.Text;
using Meanwhile.Trials.Processes;
using Meanwhile.Trials.Verification;

namespace Meanwhile.Tests.Trials;

/// <summary>The account must be able to fail: each of these trials was doctored in one place.</summary>
public sealed class DeliveryCheckerTests
{
    private const long Start = 1_700_000_000_000;
    private readonly List<SentMessage> _sent = [.. Enumerable.Range(1, 5).Select(n => new SentMessage(n, Start + n) { IsAcknowledged = true })];
    private readonly List<StoredReading> _rows = [.. Enumerable.Range(1, 5).Select(n => Row(n))];
    private string? _result = """{"avg_1min": 3, "count_1min": 5}""";
    private long? _redelivered = 0;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void What_arrived_once_balances(int expectation)
    {
        var check = Check((Expectation)expectation);
        Assert.Empty(check.Findings);
        Assert.Equal((5, 5, 5, 0, 0, 1), (check.Sent, check.Acknowledged, check.Rows, check.Missing, check.Extra, check.RightResults));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_acknowledged_message_without_a_row_is_named(int expectation)
    {
        _rows.RemoveAt(2);
        _result = """{"avg_1min": 3, "count_1min": 4}""";
        var check = Check((Expectation)expectation);
        Assert.Equal(["acknowledged and missing: t number 3"], check.Findings);
        Assert.Equal(1, check.Missing);
    }

    [Fact]
    public void At_most_once_may_lose_and_must_not_repeat()
    {
        _sent.ForEach(m => m.IsAcknowledged = false);
        _rows.RemoveAt(2);
        _result = """{"avg_1min": 3, "count_1min": 4}""";
        Assert.Empty(Check(Expectation.AtMostOnce).Findings);

        _rows.Add(Row(3));
        _rows.Add(Row(3));
        _result = """{"avg_1min": 3, "count_1min": 6}""";
        Assert.Equal(["in the store 2 times: t number 3, sent 1 times"], Check(Expectation.AtMostOnce).Findings);
    }

    [Fact]
    public void Exactly_once_names_a_row_too_many_and_excuses_only_what_was_sent_anew()
    {
        _rows.Add(Row(3));
        _result = """{"avg_1min": 3, "count_1min": 6}""";
        _sent[2].SentAgain = 1; // The same message with DUP is still one message.
        Assert.Equal(["in the store 2 times: t number 3, sent 1 times"], Check(Expectation.ExactlyOnce).Findings);

        _sent[2].SentAnew = 1;
        Assert.Empty(Check(Expectation.ExactlyOnce).Findings);
    }

    [Fact]
    public void At_least_once_repeats_no_more_than_was_sent_again()
    {
        _rows.Add(Row(3));
        _result = """{"avg_1min": 3, "count_1min": 6}""";
        Assert.Equal(["1 rows too many, and only 0 messages were sent again and 0 redelivered"], Check(Expectation.AtLeastOnce).Findings);

        _redelivered = 1;
        Assert.Empty(Check(Expectation.AtLeastOnce).Findings);
        (_redelivered, _sent[0].SentAgain) = (0, 1);
        Assert.Empty(Check(Expectation.AtLeastOnce).Findings);
        (_redelivered, _sent[0].SentAgain) = (null, 0);
        Assert.Empty(Check(Expectation.AtLeastOnce).Findings);
    }

    [Fact]
    public void A_row_that_nobody_sent_is_named()
    {
        _rows[2] = Row(3) with { Time = Start };
        Assert.Equal(["nobody has sent this row: t number 3 epochtime 1700000000", "acknowledged and missing: t number 3"], Check(Expectation.ExactlyOnce).Findings);
        _rows[2] = Row(6);
        Assert.StartsWith("nobody has sent this row: t number 6", Check(Expectation.ExactlyOnce).Findings[0], StringComparison.Ordinal);
        _rows[2] = Row(3) with { Number = 2.5 };
        Assert.StartsWith("nobody has sent this row: t number 2.5", Check(Expectation.ExactlyOnce).Findings[0], StringComparison.Ordinal);
        _rows[2] = Row(3) with { Topic = "u" };
        Assert.StartsWith("nobody has sent this row: u number 3", Check(Expectation.ExactlyOnce).Findings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_was_never_acknowledged_is_named()
    {
        _sent[4].IsAcknowledged = false;
        Assert.Equal(["never acknowledged: t number 5"], Check(Expectation.ExactlyOnce).Findings);
    }

    [Fact]
    public void A_last_result_that_is_wrong_or_was_not_published_is_named()
    {
        _result = """{"avg_1min": 3.0000000000000004, "count_1min": 5}""";
        Assert.Equal(["the last result is wrong: t avg_1min is 3.0000000000000004, the rows give 3"], Check(Expectation.ExactlyOnce).Findings);
        _result = """{"avg_1min": null}""";
        Assert.Equal(2, Check(Expectation.ExactlyOnce).Findings.Count);
        _result = null;
        Assert.Equal(["no result was published: t"], Check(Expectation.ExactlyOnce).Findings);
    }

    [Fact]
    public void Only_rows_inside_a_window_belong_to_its_result()
    {
        _sent.Add(new SentMessage(6, Start + 60_002) { IsAcknowledged = true });
        _rows.Add(new StoredReading("t", Start + 60_002, 6)); // One minute after the second.
        _result = """{"avg_1min": 4, "count_1min": 5}""";
        Assert.Empty(Check(Expectation.ExactlyOnce).Findings);
    }

    private static StoredReading Row(long number) => new("t", Start + number, number);

    private DeliveryChecker Check(Expectation expectation) => new(new Evidence(
        expectation,
        new Dictionary<string, List<SentMessage>> { ["t"] = _sent },
        _rows,
        _redelivered,
        _ => _result is null ? null : Encoding.UTF8.GetBytes(_result),
        [new ResultWindow("1min", 60_000)]));
}
