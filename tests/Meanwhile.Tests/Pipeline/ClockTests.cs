using Meanwhile.History;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Pipeline;

/// <summary>Clocks that are set while there are readings, in one process and across a restart.</summary>
public sealed class ClockTests : AggregatorTest
{
    private const int Hour = 3600;
    private const int Month = 30 * 24 * Hour;
    private const string Ahead = "are more than 300 s ahead of the clock";
    private const string Gone = "had expired by the earlier clock, and are gone";

    [Theory]
    [InlineData(Hour, true)]
    [InlineData(Hour, false)]
    [InlineData(Month, true)]
    [InlineData(Month, false)]
    public async Task After_a_step_forward_and_back_readings_of_the_wrong_clock_hold_no_window_and_count_when_their_time_has_come(int step, bool restarts)
    {
        await StepsAsync(
            restarts,
            async () =>
            {
                Send(10, Start);
                await MeanAsync(10);
                SetClock(step);
                Feed.Send("DATA", "100"); // As of its arrival, by the wrong clock.
                await MeanAsync(100);
                SetClock(60);
            },
            async () =>
            {
                Send(20, Start + 60);
                await MeanAsync(20);
                Assert.Equal(Start + 60, await EndAsync());
                Assert.Equal(["100", "20"], ReadingsFile.Query(File, "SELECT number FROM messages ORDER BY number DESC"));
                Assert.Single(Log.Lines, line => line.Contains(Ahead, StringComparison.Ordinal));

                SetClock(step - 300);
                Send(50, Start + step - 300);
                await MeanAsync(75);
                Assert.Equal(Start + step, await EndAsync());
            });
        Assert.Equal(restarts ? 0 : 1, Log.Lines.Count(line => line.Contains(Gone, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(Hour, true)]
    [InlineData(Hour, false)]
    [InlineData(Month, false)]
    public async Task After_a_step_back_and_forward_everything_counts_that_is_not_too_old(int step, bool restarts)
    {
        await StepsAsync(
            restarts,
            async () =>
            {
                Send(10, Start);
                await MeanAsync(10);
                SetClock(-step);
            },
            async () =>
            {
                Feed.Send("DATA", "20");
                await MeanAsync(20);
                Assert.Equal(Start - step, await EndAsync());
                SetClock(60);
                Send(30, Start + 60);
                await MeanAsync(20); // (10 + 30) / 2
                Assert.Equal(Start + 60, await EndAsync());
            });
        Assert.Equal(0, Log.Lines.Count(line => line.Contains(Gone, StringComparison.Ordinal)));
        Assert.Single(Log.Lines, line => line.Contains(Ahead, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reading_that_arrived_before_the_clock_went_back_is_committed_and_waits_for_its_time()
    {
        var busy = new TaskCompletionSource();
        await RunAsync(Options, async () =>
        {
            Feed.Acknowledging = busy.Task.Wait; // The data path is held up after the first commit.
            Send(1, Start);
            await Until.TrueAsync(() => Ledger.Committed == 1, () => Ledger.ToString());
            Feed.Send("DATA", "2");
            SetClock(-Hour);
            Feed.Send("DATA", "3");
            busy.SetResult();
            await MeanAsync(3);
            Assert.Equal(3, Ledger.Committed);
        });
    }

    [Fact]
    public async Task While_the_clock_runs_on_windows_are_made_of_the_store_once()
    {
        await RunAsync(Options, async () =>
        {
            await Log.SaysAsync("read back");
            Feed.Send("DATA", []);
            await Until.TrueAsync(() => Ledger.Ignored == 1, () => Ledger.ToString()); // A turn before the first reading.
            Send(1, Start + 300);
            await MeanAsync(1);
            SetClock(-1); // No more than a correction.
            Send(3, Start);
            await MeanAsync(2);
        });
        Assert.Single(Log.Lines, line => line.Contains("read back", StringComparison.Ordinal));
    }

    // Two halves of a story, with or without a restart in between.
    private async Task StepsAsync(bool restarts, Func<Task> first, Func<Task> second)
    {
        if (!restarts)
        {
            await RunAsync(Options, async () =>
            {
                await first();
                await second();
            });
            return;
        }
        await RunAsync(Options, first);
        await RunAsync(Options, second);
    }

    private void SetClock(int seconds) => Time.AdjustTime(DateTimeOffset.FromUnixTimeSeconds(Start + seconds));

    private async Task MeanAsync(int mean)
    {
        while (!(await Feed.ResultAsync()).EndsWith($"\"avg_30min\": {mean}}}", StringComparison.Ordinal))
        {
        }
    }

    // What a query without a time says, which is seconds.
    private async Task<long> EndAsync()
    {
        await Until.TrueAsync(() => Ledger.OnTheWay == 0, () => Ledger.ToString());
        using var reader = Store.OpenForReading(File, "DATA");
        var limit = (Time.GetUtcNow() + Options.MaxAhead).ToUnixTimeMilliseconds();
        return Assert.Single(new AsOf(reader, Options, limit, byClock: false).Series()).End / 1000;
    }
}
