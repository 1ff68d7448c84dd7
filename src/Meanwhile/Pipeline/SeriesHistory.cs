using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>
/// How the results of one series have moved: as of the first reading of each of many spans of time and as of the newest one; or as of the end of each span,
/// where windows move with the clock. The data path's own windows are asked, a few spans at a time, so that it never waits for long.
/// </summary>
internal sealed class SeriesHistory
{
    private const int SpansALook = 16;

    private readonly AggregatorOptions _options;
    private readonly ResultWriter _writer;
    private readonly long _span;
    private readonly List<(long End, double?[] Values)> _results = [];

    /// <summary>Reads a history off.</summary>
    /// <param name="topic">Nothing is found when it has no readings.</param>
    /// <param name="from">Milliseconds since the Unix epoch.</param>
    /// <param name="now">The clock.</param>
    /// <param name="span">In milliseconds.</param>
    public SeriesHistory(Results windows, AggregatorOptions options, string topic, long from, long now, long span)
    {
        (_options, _span, _writer) = (options, span, new ResultWriter(options.Windows, options.Statistics));
        long? next = from;
        while (next is { } start)
        {
            next = null;
            windows.Look([topic], now, (_, readings, end) => next = Read(readings, start, end));
        }
    }

    /// <summary>The names of a result's members.</summary>
    public IReadOnlyList<string> Names => _writer.Names;

    /// <summary>Where windows end, and the values of the members then.</summary>
    public IReadOnlyList<(long End, double?[] Values)> Results => _results;

    // Some spans from a time on, and where to go on; null for nowhere.
    private long? Read(SlidingSeries readings, long from, long end)
    {
        for (var spans = 0; spans < SpansALook; spans++)
        {
            var time = _options.Tick is not null && _results.Count > 0 ? from : readings.FirstFrom(from) ?? end;
            if (_options.Tick is not null)
                time = EndOfSpan(time);
            if (time >= end)
            {
                Add(readings, end);
                return null;
            }
            Add(readings, time);
            from = EndOfSpan(time) + 1;
        }
        return from;
    }

    private void Add(SlidingSeries readings, long end) => _results.Add((end, _writer.Values(readings, end).ToArray()));

    private long EndOfSpan(long time) => time - (time % _span) + _span - 1;
}
