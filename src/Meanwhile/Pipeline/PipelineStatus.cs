using System.Diagnostics.Metrics;
using Meanwhile.Feeds;

namespace Meanwhile.Pipeline;

/// <summary>
/// What others may see of the data path while it runs. It writes here once a batch, whether anybody looks or not, and waits for nobody.
/// </summary>
internal sealed class PipelineStatus : IDisposable
{
    /// <summary>The name of the meter, for those who collect metrics.</summary>
    public const string MeterName = "Meanwhile";

    // With nothing to do the loop turns once a second. A commit at a server may take its time; longer than this, it hangs.
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly Histogram<double> _durations;
    private readonly Histogram<int> _batches;
    private volatile bool _storeIsThere;
    private volatile bool _isStopping;
    private volatile Results? _results;
    private volatile IFeed? _feed;
    private long _lastTurn;
    private long _rebuilt;
    private long _lostBefore = long.MinValue;
    private long _commitFailures;
    private long _resultsPublished;

    public PipelineStatus(AggregatorOptions options, TimeProvider time)
    {
        (Options, Quota, _time) = (options, new SeriesQuota(options), time);
        _durations = Meter.CreateHistogram(
            "meanwhile.commit.duration", "s", "How long commits took, with their retries.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60] });
        _batches = Meter.CreateHistogram(
            "meanwhile.commit.deliveries", "{delivery}", "How many deliveries each commit settled.", tags: null,
            new InstrumentAdvice<int> { HistogramBucketBoundaries = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096] });
    }

    /// <summary>What is read out of messages, and what is made of it.</summary>
    public AggregatorOptions Options { get; }

    /// <summary>Accounts for every message.</summary>
    public Ledger Ledger { get; init; } = new();

    /// <summary>Limits the number of series.</summary>
    public SeriesQuota Quota { get; }

    /// <summary>The windows; null until they hold what the store holds.</summary>
    public Results? Results => _results;

    /// <summary>Those who want to hear of each result.</summary>
    public ResultListeners Listeners { get; } = new();

    /// <summary>What HTTP responses hold that their readers have not taken yet, in bytes; it is bounded by whoever answers.</summary>
    public Func<long> ResponseBytes { get; set; } = static () => 0;

    /// <summary>The memory of those who read, in bytes: it counts against nobody who publishes.</summary>
    public long HeldForReaders => ResponseBytes() + Listeners.Held;

    /// <summary>What metrics are made with.</summary>
    public Meter Meter { get; } = new(MeterName);

    /// <summary>Where readings come from; null before it is there.</summary>
    public IFeed? Feed
    {
        get => _feed;
        set => _feed = value;
    }

    /// <summary>The store is open, and has committed when it was last asked to.</summary>
    public bool StoreIsThere
    {
        get => _storeIsThere;
        set => _storeIsThere = value;
    }

    /// <summary>Connected and subscribed.</summary>
    public bool BrokerIsThere => _feed?.IsReady == true;

    /// <summary>What keeps readings from being taken in and results from being right, in words for a person; null for nothing.</summary>
    public string? Obstacle =>
        _isStopping ? "it is stopping: nothing more is taken in"
        : !StoreIsThere ? "the store is away: nothing can be committed, and nothing is acknowledged; the log says why"
        : Results is null ? "the windows are being rebuilt from the store"
        : !BrokerIsThere ? "the broker is away, or has not accepted the subscription yet; the log says why"
        : null;

    /// <summary>The data path's loop has not got stuck. Opening the store and rebuilding windows may take as long as they take.</summary>
    public bool LoopTurns => Results is null || _time.GetElapsedTime(Volatile.Read(ref _lastTurn)) < LongestTurn;

    /// <summary>
    /// From here on every reading that came is still there; milliseconds since the Unix epoch. Those that earlier processes have deleted were older than the
    /// retention when this one began, and it has deleted none until the oldest that it ever held is older than that.
    /// </summary>
    public long KeptFrom
    {
        get
        {
            var (now, retention) = (Now(), (long)Options.Retention.TotalMilliseconds);
            return Math.Max(LostBefore, Results is { } results && results.OldestEver >= now - retention ? _rebuilt - retention : now - retention);
        }
    }

    /// <summary>What is before this time has expired by a clock that was ahead of the one there is now; milliseconds since the Unix epoch.</summary>
    public long LostBefore
    {
        get => Volatile.Read(ref _lostBefore);
        set => Volatile.Write(ref _lostBefore, value);
    }

    /// <summary>Attempts to commit that failed.</summary>
    public long CommitFailures => Volatile.Read(ref _commitFailures);

    /// <summary>Results that were handed to the feed.</summary>
    public long ResultsPublished => Volatile.Read(ref _resultsPublished);

    /// <summary>It was told to stop.</summary>
    public void Stop() => _isStopping = true;

    /// <summary>The windows were rebuilt.</summary>
    public void Rebuilt(Results results)
    {
        Turn();
        StoreIsThere = true;
        _rebuilt = Now();
        _results = results;
    }

    /// <summary>The loop begins another turn, or another attempt.</summary>
    public void Turn() => Volatile.Write(ref _lastTurn, _time.GetTimestamp());

    /// <summary>A batch is durable.</summary>
    /// <param name="deliveries">How many it settles.</param>
    /// <param name="started">When its commit was first tried, as <see cref="TimeProvider.GetTimestamp"/> says it.</param>
    public void Committed(int deliveries, long started)
    {
        StoreIsThere = true;
        _durations.Record(_time.GetElapsedTime(started).TotalSeconds);
        _batches.Record(deliveries);
    }

    /// <summary>An attempt to commit has failed.</summary>
    public void CommitFailed()
    {
        Turn();
        StoreIsThere = false;
        Volatile.Write(ref _commitFailures, _commitFailures + 1);
    }

    /// <summary>Results were handed to the feed.</summary>
    public void Published(int results) => Volatile.Write(ref _resultsPublished, _resultsPublished + results);

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();
}
