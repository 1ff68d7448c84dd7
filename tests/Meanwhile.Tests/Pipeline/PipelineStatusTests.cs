using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Pipeline;

/// <summary>What is said to be in the way.</summary>
public sealed class PipelineStatusTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
    private readonly ListLogger _log = new();

    [Fact]
    public async Task While_a_rebuild_waits_for_its_store_that_is_what_is_said()
    {
        using var status = new PipelineStatus(new AggregatorOptions("DATA", "STATS"), _time) { Feed = new ManualFeed(_time), StoreIsThere = true };
        Assert.StartsWith("the windows are being rebuilt", status.Obstacle, StringComparison.Ordinal);
        using var store = new FailingStore(failures: 2, () => status.Obstacle);
        var feed = (ManualFeed)status.Feed;
        var running = Task.Run(() => new Aggregator(feed, store, status.Options, status, _log, _time).RunAsync(CancellationToken.None), TestContext.Current.CancellationToken);
        await _log.SaysAsync("the server is away");
        await Until.TrueAsync(() => status.Obstacle?.StartsWith("the store is away", StringComparison.Ordinal) == true, () => $"{status.Obstacle}");
        await Until.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return status.Obstacle is null;
            },
            () => $"{status.Obstacle}");
        Assert.Equal(1, status.Results!.SeriesCount);
        Assert.StartsWith("the windows are being rebuilt", store.SaidWhileReading, StringComparison.Ordinal);
        status.Stop();
        Assert.StartsWith("it is stopping", status.Obstacle, StringComparison.Ordinal);
        feed.End();
        await running;
    }

    [Fact]
    public async Task A_rebuild_of_readings_without_end_ends_when_it_is_told_to_stop()
    {
        using var status = new PipelineStatus(new AggregatorOptions("DATA", "STATS"), _time) { Feed = new ManualFeed(_time), StoreIsThere = true };
        using var store = new FailingStore(failures: 0, () => status.Obstacle, isEndless: true);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => new Aggregator(status.Feed, store, status.Options, status, _log, _time).RunAsync(stop.Token), TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => store.SaidWhileReading is not null, () => "it does not begin");
        await stop.CancelAsync();
        await Until.TrueAsync(() => running.IsCompleted, () => "it does not end");
        Assert.True(running.IsCanceled);
    }

    /// <summary>A store that is away for some attempts to read it.</summary>
    private sealed class FailingStore(int failures, Func<string?> obstacle, bool isEndless = false) : IStore
    {
        private int _failures = failures;

        public string? SaidWhileReading { get; private set; }

        public IEnumerable<Reading> ReadReadings(long from, long to)
        {
            if (_failures-- > 0)
                throw new StoreException("the server is away", mayHeal: true);
            yield return new Reading("DATA", from, 1);
            SaidWhileReading = obstacle();
            do
                yield return new Reading("DATA", from, 2);
            while (isEndless);
        }

        public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) => [];

        public SessionState ReadSession() => new(new Dictionary<string, IReadOnlyCollection<ushort>>(), Subscription: null);

        public ValueTask<CommitReport> CommitAsync(Batch batch, Cutoff cutoff, CancellationToken cancellationToken) => ValueTask.FromResult(default(CommitReport));

        public void Dispose()
        {
        }
    }
}
