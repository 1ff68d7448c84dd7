using Meanwhile.Stores;
using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>The windows of every series, and the results that are due when readings were committed or the clock has moved.</summary>
internal sealed class Results(AggregatorOptions options)
{
    // What is too far ahead never gets here: the intake has put it into the quarantine. What is on disk counts, wherever the clock has gone since.
    private const long AnyTimeAhead = 1L << 52;

    private readonly SeriesTable<string> _table = new(Layout(options), AnyTimeAhead, followsClock: options.Tick is not null);
    private readonly ResultWriter _writer = new(options.Windows, options.Statistics);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);

    /// <summary>How many series have readings.</summary>
    public int SeriesCount => _table.Count;

    /// <summary>Takes a reading of an earlier process in.</summary>
    /// <param name="now">The clock, milliseconds since the Unix epoch.</param>
    public void Restore(in Reading reading, long now) => _table.Add(reading.Series, reading.Time, reading.Value, now);

    /// <summary>Takes committed readings in, and gives one result for each series that they belong to.</summary>
    /// <param name="committed">In the order of their commit.</param>
    /// <param name="now">The clock as of that commit: what is older than the retention is not on disk any more, and so counts no more.</param>
    /// <param name="tickIsDue">Also the series whose windows have moved with the clock, if that was asked for.</param>
    public IEnumerable<(string Topic, byte[] Payload)> Of(List<Reading> committed, long now, bool tickIsDue)
    {
        foreach (var reading in committed)
        {
            Restore(reading, now);
            _changed.Add(reading.Series);
        }
        if (tickIsDue)
            _table.Advance(now, _changed);
        foreach (var series in _changed.Where(options.Publishes))
            yield return (options.ResultTopic(series), Write(_table.Find(series), now));
        _changed.Clear();
    }

    private static WindowLayout Layout(AggregatorOptions options) =>
        new((long)options.Retention.TotalMilliseconds, options.Windows.Select(w => w.Milliseconds), options.Statistics);

    private byte[] Write(SlidingSeries? series, long now)
    {
        var seriesNow = series?.Newest ?? now;
        return _writer.Write(series, options.Tick is null ? seriesNow : Math.Max(seriesNow, now));
    }
}
