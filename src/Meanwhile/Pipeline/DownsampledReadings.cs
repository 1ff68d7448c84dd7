namespace Meanwhile.Pipeline;

/// <summary>
/// Readings thinned so that a chart of them looks the same: of each span of time the first, the lowest, the highest and the last. None is made up.
/// </summary>
/// <param name="span">In milliseconds.</param>
internal sealed class DownsampledReadings(long span)
{
    private readonly SortedDictionary<long, Few> _spans = [];
    private Few? _current;

    /// <summary>How many there were.</summary>
    public long Count { get; private set; }

    /// <summary>Takes a reading in.</summary>
    /// <param name="time">Milliseconds since the Unix epoch.</param>
    public void Add(long time, double value)
    {
        Count++;
        var number = Math.DivRem(time, span).Quotient;
        if (_current?.Number != number && !_spans.TryGetValue(number, out _current))
            _spans.Add(number, _current = new Few(number, (time, value)));
        _current!.Add((time, value));
    }

    /// <summary>Those that are left, in the order of their times.</summary>
    public IEnumerable<(long Time, double Value)> Read() => _spans.Values.SelectMany(few => few.Read());

    /// <summary>Forgets them.</summary>
    public void Clear()
    {
        _spans.Clear();
        (_current, Count) = (null, 0);
    }

    private sealed class Few(long number, (long Time, double Value) only)
    {
        private (long Time, double Value) _first = only;
        private (long Time, double Value) _lowest = only;
        private (long Time, double Value) _highest = only;
        private (long Time, double Value) _last = only;

        public long Number => number;

        public void Add((long Time, double Value) reading)
        {
            if (reading.Time < _first.Time)
                _first = reading;
            if (reading.Value < _lowest.Value)
                _lowest = reading;
            if (reading.Value > _highest.Value)
                _highest = reading;
            if (reading.Time >= _last.Time)
                _last = reading;
        }

        public IEnumerable<(long Time, double Value)> Read() => new[] { _first, _lowest, _highest, _last }.Distinct().OrderBy(reading => reading.Time);
    }
}
