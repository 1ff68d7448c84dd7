namespace Meanwhile.Windows;

/// <summary>What became of a reading.</summary>
public enum ReadingOutcome
{
    Added,

    /// <summary>It is older than the retention.</summary>
    Expired,

    /// <summary>It is further ahead of the clock than is believed.</summary>
    Ahead,
}

/// <summary>Series by key. One that has no reading within the retention is forgotten, and comes back when it speaks. For use by one thread at a time.</summary>
/// <param name="layout">What the series keep.</param>
/// <param name="maxAheadMs">How far ahead of the clock a reading may be.</param>
/// <param name="followsClock">Whether <see cref="Advance"/> tells which series change as time passes; if not, it only forgets, and that costs less.</param>
/// <param name="sizeOfKey">The memory of a key, in bytes, for <see cref="KeyBytes"/>; null if that is not used.</param>
public sealed class SeriesTable<TKey>(WindowLayout layout, long maxAheadMs, bool followsClock = false, Func<TKey, int>? sizeOfKey = null)
    where TKey : notnull
{
    // The object and its place in the dictionary.
    private const int BytesASeries = 160;

    private readonly Workspace _workspace = new(layout);
    private readonly Dictionary<TKey, KeyedSeries> _series = [];
    private readonly TimingWheel _wheel = new();
    private long _clockMs = long.MinValue;

    public int Count => _series.Count;

    /// <summary>The approximate memory of all series and their readings, in bytes; without keys, and without the values that percentiles are made of.</summary>
    public long Bytes => _workspace.HeldBytes + (BytesASeries * (long)_series.Count);

    /// <summary>The memory of the keys of all series, in bytes.</summary>
    public long KeyBytes { get; private set; }

    /// <summary>The keys of all series, in no order; valid until the table changes.</summary>
    public IReadOnlyCollection<TKey> Keys => _series.Keys;

    /// <summary>The series of a key, unless it is unknown or forgotten.</summary>
    public SlidingSeries? Find(TKey key) => _series.GetValueOrDefault(key);

    /// <summary>What <see cref="Add"/> would make of a reading of a time.</summary>
    public ReadingOutcome Judge(long timeMs, long nowMs) =>
        timeMs < nowMs - layout.RetentionMs ? ReadingOutcome.Expired : timeMs > nowMs + maxAheadMs ? ReadingOutcome.Ahead : ReadingOutcome.Added;

    /// <summary>Takes in a reading unless it is too old or too far ahead. From here on queries leave out what is older than now less the retention.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite; nothing has happened.</exception>
    public ReadingOutcome Add(TKey key, long timeMs, double value, long nowMs)
    {
        var outcome = Judge(timeMs, nowMs);
        if (outcome != ReadingOutcome.Added)
            return outcome;
        MoveCutoff(nowMs);
        var known = _series.TryGetValue(key, out var series);
        series ??= new KeyedSeries(_workspace, key);
        series.Add(timeMs, value);
        if (!known)
        {
            _series.Add(key, series);
            KeyBytes += sizeOfKey?.Invoke(key) ?? 0;
            _wheel.Put(series, series.NextChange(_clockMs, followsClock));
        }
        else if (followsClock && series.ChangeBy(timeMs, _clockMs) is var wake && wake < series.WakeMs)
        {
            _wheel.Move(series, wake);
        }
        return ReadingOutcome.Added;
    }

    /// <summary>
    /// Moves the clock, forgets the series whose readings are all older than the retention, and lists those of which a reading has left a window because
    /// the clock moved, forgotten ones too. Visits no others. A series' windows end at the clock, or at its newest reading if that is ahead.
    /// </summary>
    public void Advance(long nowMs, ICollection<TKey> changed)
    {
        var before = _clockMs;
        _clockMs = nowMs;
        MoveCutoff(nowMs);
        for (WheelSeries? due = _wheel.TakeDue(before, nowMs), next; due is not null; due = next)
        {
            next = due.Next;
            var series = (KeyedSeries)due;
            if (followsClock && series.ChangesBetween(before, nowMs))
                changed.Add(series.Key);
            if (series.Forget())
                Remove(series);
            else
                _wheel.Put(series, series.NextChange(nowMs, followsClock));
        }
        if (_series.Capacity > 1024 && _series.Count < _series.Capacity / 4)
            _series.TrimExcess(_series.Count * 2);
    }

    private void Remove(KeyedSeries series)
    {
        _series.Remove(series.Key);
        KeyBytes -= sizeOfKey?.Invoke(series.Key) ?? 0;
        series.Leave();
    }

    // What has expired is gone for good: when the clock goes back, which is rare, it must not come back with it.
    private void MoveCutoff(long nowMs)
    {
        var cutoff = nowMs - layout.RetentionMs;
        if (cutoff < _workspace.CutoffMs)
        {
            foreach (var series in _series.Values)
                series.Forget();
        }
        _workspace.CutoffMs = cutoff;
    }

    private sealed class KeyedSeries(Workspace workspace, TKey key) : WheelSeries(workspace)
    {
        public TKey Key => key;

        public void Leave()
        {
            GiveUpRoom();
            Forgotten?.Invoke();
        }
    }
}
