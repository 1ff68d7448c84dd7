using System.Diagnostics;
using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Stores;
using Meanwhile.Windows;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Pipeline;

/// <summary>The data path: feed, parse, commit, acknowledge, windows, results. One loop, from left to right.</summary>
internal sealed class Aggregator(IFeed feed, IStore store, AggregatorOptions options, PipelineStatus status, ILogger logger, TimeProvider time)
{
    // Bounds what one transaction holds in memory; a full batch leaves the rest in the queue, and a full queue leaves it in the socket.
    private const int LargestBatch = 4096;
    private const long LargestBatchBytes = 8 << 20;

    // A clock that goes back by less has made hardly anything expire before its time; milliseconds.
    private const long LargestCorrection = 10_000;

    // In bytes, for the topic of a series behind STATS_TOPIC.
    private const int LittleRoom = 1024;

    // A commit that is in hand when we are told to stop is waited for so long.
    private static readonly TimeSpan LastCommitTimeout = TimeSpan.FromSeconds(10);

    private readonly LogLimiter _limiter = new(time);
    private readonly Ledger _ledger = status.Ledger;
    private Results _results = new(options);
    private readonly long _retention = (long)options.Retention.TotalMilliseconds;
    private readonly long _quarantine = (long)options.QuarantineAge.TotalMilliseconds;
    private readonly long _maxAhead = (long)options.MaxAhead.TotalMilliseconds;
    private long _cutoff = long.MinValue;

    /// <summary>Runs until the feed's deliveries end.</summary>
    /// <param name="stop">Cuts short the wait for a store that cannot commit.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        SayWhereResultsGo();
        var builder = new BatchBuilder(options, _ledger, status.Quota, topic => _results.Has(topic), logger, _limiter);
        var wait = new StoreWait(logger, _limiter, time);
        using var work = new WorkSignal(feed.Deliveries, options.Tick, time);
        using var giveUp = new CancellationTokenSource();
        await using var patience = time.CreateTimer(_ => giveUp.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var told = stop.Register(() => patience.Change(LastCommitTimeout, Timeout.InfiniteTimeSpan));
        _results = await wait.ForAsync(() => ValueTask.FromResult(Rebuild(stop)), stop);
        while (await work.WaitAsync())
        {
            status.Turn();
            using var turn = PipelineTracing.Turn();
            var now = Now();
            await FollowClockAsync(wait, now, stop);
            Collect(builder, now);
            turn.Describe(builder);
            builder.RecordCommit(await CommitAsync(wait, builder, new Cutoff(now - _retention, now - _quarantine), stop, giveUp.Token));
            using (PipelineTracing.Part("acknowledge"))
                _ledger.Acknowledge(feed.Acknowledge(builder.Deliveries));
            using (PipelineTracing.Part("windows"))
                SayAhead(_results.Add(builder.Batch.Readings, now, work.TickIsDue));
            status.Quota.Settle();
            status.Listeners.Tell(builder.Batch.Readings);
            await PublishAsync(now);
            builder.Clear();
        }
    }

    // When the clock has gone back, what was taken with it may be too far ahead now: windows are made anew without it. When its time comes, it is taken in.
    private async ValueTask FollowClockAsync(StoreWait wait, long now, CancellationToken stop)
    {
        if (now - _retention < _cutoff - LargestCorrection && _results.OldestEver < _cutoff)
        {
            status.LostBefore = _cutoff;
            Log.ClockWentBack(logger, (_cutoff - now + _retention) / 1000, DateTimeOffset.FromUnixTimeMilliseconds(_cutoff).UtcDateTime);
        }
        _cutoff = now - _retention;
        if (_results.AreAheadOf(now))
            _results = await wait.ForAsync(() => ValueTask.FromResult(Rebuild(stop)), stop);
        else if (_results.IsAheadDue(now))
            await wait.ForAsync(() => ValueTask.FromResult(TakeInDue(now)), stop);
    }

    private int TakeInDue(long now)
    {
        var due = store.ReadReadings(_results.FirstAhead, now + _maxAhead).ToList();
        var next = store.ReadReadings(now + _maxAhead + 1, long.MaxValue).Take(1).ToList();
        _results.AddDue(due, next is [var first] ? first : null, now);
        return due.Count;
    }

    private void SayAhead(int readings)
    {
        if (readings > 0 && _limiter.MayLog(nameof(SayAhead), out var repeated))
            Log.Ahead(logger, readings, options.MaxAhead.TotalSeconds, repeated);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    // The store alone knows what was committed, so windows are made of it, and no second file of state can disagree.
    private Results Rebuild(CancellationToken stop)
    {
        var (results, readings, ahead, now) = (new Results(options), 0, 0, Now());
        try
        {
            foreach (var reading in store.ReadReadings(now - _retention, long.MaxValue))
            {
                stop.ThrowIfCancellationRequested();
                ahead += results.Restore(reading, now) == ReadingOutcome.Ahead ? 1 : 0;
                if (readings++ == 0)
                    status.StoreIsThere = true;
            }
        }
        catch (StoreException)
        {
            status.StoreIsThere = false;
            throw;
        }
        status.Rebuilt(results);
        status.Quota.Follow(results);
        Log.ReadBack(logger, readings, results.SeriesCount);
        SayAhead(ahead);
        return results;
    }

    private void Collect(BatchBuilder builder, long now)
    {
        var bytes = 0L;
        while (builder.Deliveries.Count < LargestBatch && bytes < LargestBatchBytes && feed.Deliveries.TryRead(out var delivery))
        {
            bytes += delivery.Payload.Length;
            builder.Add(delivery, now - _retention);
        }
    }

    private async ValueTask<CommitReport> CommitAsync(StoreWait wait, BatchBuilder builder, Cutoff cutoff, CancellationToken stop, CancellationToken giveUp)
    {
        using var span = PipelineTracing.Part("commit");
        var started = time.GetTimestamp();
        var report = await wait.ForCommitAsync(
            (Path: this, builder.Batch, cutoff, span, giveUp), static work => work.Path.TryCommitAsync(work.Batch, work.cutoff, work.span, work.giveUp), stop);
        status.Committed(builder.Deliveries.Count, started);
        return report;
    }

    private async ValueTask<CommitReport> TryCommitAsync(Batch batch, Cutoff cutoff, Activity? span, CancellationToken giveUp)
    {
        try
        {
            return await store.CommitAsync(batch, cutoff, giveUp);
        }
        catch (StoreException e) when (e.MayHeal)
        {
            status.CommitFailed();
            span.Fail(e.Message);
            throw;
        }
    }

    private async ValueTask PublishAsync(long now)
    {
        using var span = PipelineTracing.Part("publish");
        var published = 0;
        foreach (var series in _results.Due)
        {
            if (!_results.TryWrite(series, now, out var result))
                continue;
            if (IsTooLong(result.Topic))
                RefuseResult();
            else
                await feed.PublishAsync(result.Topic, result.Payload);
            status.Listeners.Tell(series, result);
            published++;
            if (logger.IsEnabled(LogLevel.Debug))
                Log.Published(logger, result.Topic, Encoding.UTF8.GetString(result.Payload.Span));
        }
        span?.SetTag("meanwhile.results", published);
        status.Published(published);
        _results.Due.Clear();
    }

    // Messages of such a series are in the quarantine; but the file may have some of a time with another STATS_TOPIC, and it may have been imported.
    private static bool IsTooLong(string topic) => topic.Length > Topic.LongestName / 3 && Encoding.UTF8.GetByteCount(topic) > Topic.LongestName;

    private void RefuseResult()
    {
        _ledger.RefuseResult();
        if (_limiter.MayLog(nameof(RefuseResult), out var repeated))
            Log.ResultTopicTooLong(logger, Topic.LongestName, options.LongestSeries, repeated);
    }

    private void SayWhereResultsGo()
    {
        if (options.LongestSeries < LittleRoom)
            Log.LittleRoomForResults(logger, Math.Max(options.LongestSeries, 0));
        else if (options.HasWildcards)
            Log.ResultsGoTo(logger, options.StatsTopic, options.LongestSeries);
    }
}
