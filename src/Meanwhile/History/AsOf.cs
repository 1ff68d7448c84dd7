using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Windows;

namespace Meanwhile.History;

/// <summary>The windows of every series as of a time: those that were published when its newest reading until then had been committed.</summary>
internal sealed class AsOf
{
    private readonly IStoreReader _store;
    private readonly AggregatorOptions _options;
    private readonly long _longest;
    private readonly TopicPage _page;
    private readonly Dictionary<string, (long End, long Count)> _found = new(StringComparer.Ordinal);

    /// <summary>Finds the series and the times at which their windows end.</summary>
    /// <param name="options">Which series, windows and statistics.</param>
    /// <param name="at">Later readings do not count; milliseconds since the Unix epoch.</param>
    /// <param name="byClock">Windows end at that time itself, as those of an aggregator with a tick, and not at the newest reading.</param>
    /// <param name="page">Which of the series; null for all.</param>
    /// <param name="mostReadings">Series are left to the next page until the others have no more readings than this.</param>
    public AsOf(IStoreReader store, AggregatorOptions options, long at, bool byClock, TopicPage? page = null, long mostReadings = long.MaxValue)
    {
        (_store, _options, _longest) = (store, options, options.Windows.Max(w => w.Milliseconds));
        _page = page ?? new TopicPage(static _ => true);
        var readings = 0L;
        foreach (var reading in store.ReadReadings(0, at))
        {
            Oldest = Math.Min(Oldest, reading.Time);
            if (!options.Publishes(reading.Series))
                Other = reading.Series;
            else if (_found.TryGetValue(reading.Series, out var found) || Add(reading.Series))
                Take(reading, found.Count);
        }
        IsTooLarge = readings > mostReadings;

        bool Add(string topic)
        {
            var isOurs = _page.Add(topic, out var dropped);
            Forget(dropped);
            return isOurs;
        }

        void Take(in Reading reading, long before)
        {
            _found[reading.Series] = (byClock ? at : reading.Time, before + 1);
            readings++;
            while (readings > mostReadings && _page.Topics.Count > 1)
                Forget(_page.DropLast());
        }

        void Forget(string? topic)
        {
            if (topic is not null && _found.Remove(topic, out var gone))
                readings -= gone.Count;
        }
    }

    /// <summary>No series with readings until then was asked for.</summary>
    public bool IsEmpty => _found.Count == 0;

    /// <summary>There is only one series left, and it has more readings than were allowed.</summary>
    public bool IsTooLarge { get; }

    /// <summary>A series with readings until then that was not asked for, if there is any.</summary>
    public string? Other { get; }

    /// <summary>The oldest reading of all; what was there before it may have been deleted.</summary>
    public long Oldest { get; } = long.MaxValue;

    /// <summary>Where the longest window of the earliest series begins.</summary>
    public long EarliestStart => IsEmpty ? long.MaxValue : _found.Values.Min(found => found.End) - _longest;

    /// <summary>Each series with its readings and the time at which its windows end.</summary>
    public IEnumerable<(string Topic, SlidingSeries Readings, long End)> Series()
    {
        var layout = new WindowLayout(_longest, _options.Windows.Select(w => w.Milliseconds), _options.Statistics);
        var series = _page.Topics.ToDictionary(topic => topic, _ => new SlidingSeries(layout), StringComparer.Ordinal);
        if (_options.Statistics.Any(statistic => statistic.Kind == StatisticKind.Twa))
        {
            foreach (var (topic, reading) in LastBefore())
                series[topic].Add(reading.Time, reading.Value);
        }
        foreach (var reading in Readings())
            series[reading.Series].Add(reading.Time, reading.Value);
        foreach (var topic in _page.Topics)
            yield return (topic, series[topic], _found[topic].End);
    }

    // What held when the longest window of each series began.
    private Dictionary<string, Reading> LastBefore()
    {
        Dictionary<string, Reading> last = new(StringComparer.Ordinal);
        if (IsEmpty)
            return last;
        foreach (var reading in _store.ReadReadings(0, _found.Values.Max(found => found.End) - _longest - 1))
        {
            if (_found.TryGetValue(reading.Series, out var found) && reading.Time < found.End - _longest)
                last[reading.Series] = reading;
        }
        return last;
    }

    /// <summary>The readings in the longest window of each series, in the order of their times.</summary>
    public IEnumerable<Reading> Readings()
    {
        if (IsEmpty)
            yield break;
        foreach (var reading in _store.ReadReadings(EarliestStart, _found.Values.Max(found => found.End)))
        {
            if (_found.TryGetValue(reading.Series, out var found) && reading.Time >= found.End - _longest && reading.Time <= found.End)
                yield return reading;
        }
    }
}
