using System.Runtime.InteropServices;
using Meanwhile.Stores;
using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>The windows of every series, and the results that are due when readings were committed or the clock has moved.</summary>
internal sealed class Results(AggregatorOptions options)
{
    private readonly Dictionary<string, State> _series = new(StringComparer.Ordinal);
    private readonly ResultWriter _writer = new(options.Windows);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);

    /// <summary>How many series have readings.</summary>
    public int SeriesCount => _series.Count;

    /// <summary>Takes a reading of an earlier process in.</summary>
    public void Restore(in Reading reading)
    {
        ref var state = ref CollectionsMarshal.GetValueRefOrAddDefault(_series, reading.Series, out _);
        state ??= new State(options.ResultTopic(reading.Series), options.Windows.Count);
        state.Readings.Add(reading.Time, reading.Value);
    }

    /// <summary>Takes committed readings in, and gives one result for each series that they belong to.</summary>
    /// <param name="committed">In the order of their commit.</param>
    /// <param name="now">The clock, milliseconds since the Unix epoch.</param>
    /// <param name="cutoff">What is older is not on disk any more, and so counts no more.</param>
    /// <param name="tickIsDue">Also the series whose means have moved with the clock, if that was asked for.</param>
    public IEnumerable<(string Topic, byte[] Payload)> Of(List<Reading> committed, long now, long cutoff, bool tickIsDue)
    {
        foreach (var reading in committed)
        {
            Restore(reading);
            _changed.Add(reading.Series);
        }
        foreach (var name in _changed)
        {
            var state = _series[name];
            Refresh(state, now, cutoff);
            yield return (state.Topic, _writer.Write(state.Means));
        }
        if (tickIsDue && options.Tick is not null)
        {
            foreach (var (name, state) in _series)
            {
                if (!_changed.Contains(name) && Refresh(state, now, cutoff))
                    yield return (state.Topic, _writer.Write(state.Means));
            }
        }
        _changed.Clear();
        if (tickIsDue)
            Forget(cutoff);
    }

    // True when a mean has changed since the last time.
    private bool Refresh(State state, long now, long cutoff)
    {
        var seriesNow = state.Readings.Newest ?? now;
        if (options.Tick is not null)
            seriesNow = Math.Max(seriesNow, now);
        var hasChanged = false;
        for (var i = 0; i < state.Means.Length; i++)
        {
            var mean = state.Readings.Mean(Math.Max(seriesNow - options.Windows[i].Milliseconds, cutoff), seriesNow);
            hasChanged |= mean != state.Means[i];
            state.Means[i] = mean;
        }
        return hasChanged;
    }

    private void Forget(long cutoff)
    {
        foreach (var (name, state) in _series)
        {
            state.Readings.DropBefore(cutoff);
            if (state.Readings.Count == 0)
                _series.Remove(name);
        }
    }

    private sealed class State(string topic, int windows)
    {
        public string Topic { get; } = topic;

        public SlidingSeries Readings { get; } = new();

        public double?[] Means { get; } = new double?[windows];
    }
}
