using System.Runtime.InteropServices;
using Meanwhile.Stores;
using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>
/// The windows of every series, and the results that are due when readings were committed or the clock has moved. They belong to the data path; once they
/// are rebuilt, others may look at them between its steps.
/// </summary>
internal sealed class Results(AggregatorOptions options)
{
    // Clocks are corrected by some milliseconds all the time.
    private const long Correction = 1000;

    private const int FewTopics = 1000;

    // The name of a series is kept with its windows and twice by the store; the topic of its results contains it once more.
    private const int BytesAName = 200;
    private const int CopiesOfName = 2;

    // Who looks at more series lets the data path go on in between.
    private const int SeriesALook = 64;

    private readonly SeriesTable<string> _table = new(Layout(options), MaxAhead(options), followsClock: options.Tick is not null, NameBytesOf);
    private readonly ResultWriter _writer = new(options.Windows, options.Statistics);
    private readonly Dictionary<string, string?> _topics = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly long _maxAhead = MaxAhead(options);
    private volatile bool _isWanted;
    private long _oldestEver = long.MaxValue;
    private long _newest = long.MinValue;

    /// <summary>How many series have readings.</summary>
    public int SeriesCount => _table.Count;

    /// <summary>Whether a series has readings. For the data path alone.</summary>
    public bool Has(string series) => _table.Find(series) is not null;

    /// <summary>Has something called when a series is forgotten; false when it is not known. For the data path alone.</summary>
    public bool TellWhenForgotten(string series, Action forgotten)
    {
        if (_table.Find(series) is not { } known)
            return false;
        known.Forgotten = forgotten;
        return true;
    }

    /// <summary>The memory of the series with their readings, in bytes, about.</summary>
    public long WindowBytes => _table.Bytes;

    /// <summary>What the name of a series takes, in bytes, about.</summary>
    public static int NameBytesOf(string series) => BytesAName + (CopiesOfName * sizeof(char) * series.Length);

    /// <summary>The memory of their names, in bytes, about.</summary>
    public long NameBytes => _table.KeyBytes;

    /// <summary>The oldest time of a reading that was ever taken in, also when it has been dropped since; milliseconds since the Unix epoch.</summary>
    public long OldestEver => Volatile.Read(ref _oldestEver);

    /// <summary>
    /// The earliest time of what is in the store and does not count yet: the clock was wrong when it came, or is now, and it would hold the windows of its
    /// series where it is. Everything up to that time counts. Milliseconds since the Unix epoch; <see cref="long.MaxValue"/> when all counts.
    /// </summary>
    public long FirstAhead { get; private set; } = long.MaxValue;

    /// <summary>Whether the time of some readings that are in the store has come.</summary>
    public bool IsAheadDue(long now) => FirstAhead <= now + _maxAhead;

    /// <summary>Whether the clock has gone back so far that readings count which are too far ahead of it.</summary>
    public bool AreAheadOf(long now) => _newest > now + _maxAhead + Correction;

    /// <summary>Takes a reading of an earlier process in: nobody looks yet.</summary>
    /// <param name="now">The clock, milliseconds since the Unix epoch.</param>
    public ReadingOutcome Restore(in Reading reading, long now)
    {
        if (reading.Time < _oldestEver)
            Volatile.Write(ref _oldestEver, reading.Time);
        var outcome = _table.Add(reading.Series, reading.Time, reading.Value, now);
        if (outcome == ReadingOutcome.Ahead)
            FirstAhead = Math.Min(FirstAhead, reading.Time);
        else
            _newest = Math.Max(_newest, reading.Time);
        return outcome;
    }

    /// <summary>Takes readings in whose time has come: results of their series are due.</summary>
    /// <param name="due">All that do not count yet, up to the limit.</param>
    /// <param name="next">The first one behind them.</param>
    /// <param name="now">The clock.</param>
    public void AddDue(List<Reading> due, Reading? next, long now)
    {
        FirstAhead = next?.Time ?? long.MaxValue;
        Add(due, now, tickIsDue: false);
    }

    /// <summary>The series whose results are due.</summary>
    public HashSet<string> Due { get; } = new(StringComparer.Ordinal);

    /// <summary>Takes committed readings in: results of their series are due.</summary>
    /// <param name="committed">In the order of their commit.</param>
    /// <param name="now">The clock as of that commit: what is older than the retention is not on disk any more, and so counts no more.</param>
    /// <param name="tickIsDue">Also those of series whose windows have moved with the clock, if that was asked for.</param>
    /// <returns>How many are too far ahead of the clock to count yet.</returns>
    public int Add(List<Reading> committed, long now, bool tickIsDue)
    {
        var ahead = 0;
        _isWanted = true;
        lock (_gate)
        {
            _isWanted = false;
            var last = "";
            foreach (ref readonly var reading in CollectionsMarshal.AsSpan(committed))
            {
                if (Restore(reading, now) == ReadingOutcome.Ahead)
                    ahead++;
                else if (!ReferenceEquals(reading.Series, last))
                    Due.Add(last = reading.Series);
            }
            if (tickIsDue)
                _table.Advance(now, Due);
        }
        return ahead;
    }

    /// <summary>Encodes the result of a series, and says where it goes.</summary>
    /// <param name="result">Valid until the next call.</param>
    /// <returns>False for a series whose results are not published.</returns>
    public bool TryWrite(string series, long now, out Result result)
    {
        result = default;
        if (!_topics.TryGetValue(series, out var topic))
        {
            if (_topics.Count > (2 * SeriesCount) + FewTopics)
                _topics.Clear(); // Most of them are of series that are forgotten.
            topic = options.Publishes(series) ? options.ResultTopic(series) : null;
            _topics.Add(series, topic);
        }
        if (topic is null)
            return false;
        _isWanted = true;
        lock (_gate)
        {
            _isWanted = false;
            var readings = _table.Find(series);
            var end = End(readings, now);
            result = new Result(topic, _writer.Write(readings, end), end, readings?.Newest);
        }
        return true;
    }

    /// <summary>The series that have readings and whose results are published.</summary>
    public List<string> Topics()
    {
        lock (_gate)
            return [.. _table.Keys.Where(options.Publishes)];
    }

    /// <summary>Shows the windows of some series as they are now. The data path waits meanwhile, so looking has to be quick.</summary>
    /// <param name="topics">Those that have no readings any more are left out.</param>
    /// <param name="now">The clock.</param>
    /// <param name="look">Sees a series' topic, its readings, and where its windows end.</param>
    public void Look(IEnumerable<string> topics, long now, Action<string, SlidingSeries, long> look)
    {
        foreach (var some in topics.Chunk(SeriesALook))
        {
            // A lock goes to whoever comes first, which is the one that has just given it back: it would keep the data path out until its last series.
            while (_isWanted)
                Thread.Yield();
            lock (_gate)
            {
                foreach (var topic in some)
                {
                    if (_table.Find(topic) is { Newest: not null } readings)
                        look(topic, readings, End(readings, now));
                }
            }
        }
    }

    private static long MaxAhead(AggregatorOptions options) => (long)options.MaxAhead.TotalMilliseconds;

    private static WindowLayout Layout(AggregatorOptions options) =>
        new((long)options.Retention.TotalMilliseconds, options.Windows.Select(w => w.Milliseconds), options.Statistics);

    private long End(SlidingSeries? series, long now)
    {
        var seriesNow = series?.Newest ?? now;
        return options.Tick is null ? seriesNow : Math.Max(seriesNow, now);
    }
}

/// <summary>A result on its way out.</summary>
/// <param name="Topic">Where it goes.</param>
/// <param name="Payload">As it is published.</param>
/// <param name="End">Where its windows end; milliseconds since the Unix epoch.</param>
/// <param name="Newest">The time of the series' newest reading; null when it has none any more.</param>
internal readonly record struct Result(string Topic, ReadOnlyMemory<byte> Payload, long End, long? Newest);
