using System.Diagnostics.CodeAnalysis;
using Meanwhile.Stores;
using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>The windows of every series, and the results that are due when readings were committed or the clock has moved.</summary>
internal sealed class Results(AggregatorOptions options)
{
    // What is too far ahead never gets here: the intake has put it into the quarantine. What is on disk counts, wherever the clock has gone since.
    private const long AnyTimeAhead = 1L << 52;

    private const int FewTopics = 1000;

    private readonly SeriesTable<string> _table = new(Layout(options), AnyTimeAhead, followsClock: options.Tick is not null);
    private readonly ResultWriter _writer = new(options.Windows, options.Statistics);
    private readonly Dictionary<string, string?> _topics = new(StringComparer.Ordinal);

    /// <summary>How many series have readings.</summary>
    public int SeriesCount => _table.Count;

    /// <summary>Takes a reading of an earlier process in.</summary>
    /// <param name="now">The clock, milliseconds since the Unix epoch.</param>
    public void Restore(in Reading reading, long now) => _table.Add(reading.Series, reading.Time, reading.Value, now);

    /// <summary>The series whose results are due.</summary>
    public HashSet<string> Due { get; } = new(StringComparer.Ordinal);

    /// <summary>Takes committed readings in: results of their series are due.</summary>
    /// <param name="committed">In the order of their commit.</param>
    /// <param name="now">The clock as of that commit: what is older than the retention is not on disk any more, and so counts no more.</param>
    /// <param name="tickIsDue">Also those of series whose windows have moved with the clock, if that was asked for.</param>
    public void Add(List<Reading> committed, long now, bool tickIsDue)
    {
        foreach (var reading in committed)
        {
            Restore(reading, now);
            Due.Add(reading.Series);
        }
        if (tickIsDue)
            _table.Advance(now, Due);
    }

    /// <summary>Encodes the result of a series, and says where it goes.</summary>
    /// <param name="payload">Valid until the next call.</param>
    /// <returns>False for a series whose results are not published.</returns>
    public bool TryWrite(string series, long now, [NotNullWhen(true)] out string? topic, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        if (!_topics.TryGetValue(series, out topic))
        {
            if (_topics.Count > (2 * SeriesCount) + FewTopics)
                _topics.Clear(); // Most of them are of series that are forgotten.
            topic = options.Publishes(series) ? options.ResultTopic(series) : null;
            _topics.Add(series, topic);
        }
        if (topic is null)
            return false;
        payload = Write(_table.Find(series), now);
        return true;
    }

    private static WindowLayout Layout(AggregatorOptions options) =>
        new((long)options.Retention.TotalMilliseconds, options.Windows.Select(w => w.Milliseconds), options.Statistics);

    private ReadOnlyMemory<byte> Write(SlidingSeries? series, long now)
    {
        var seriesNow = series?.Newest ?? now;
        return _writer.Write(series, options.Tick is null ? seriesNow : Math.Max(seriesNow, now));
    }
}
