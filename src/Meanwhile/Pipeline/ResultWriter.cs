using System.Buffers;
using System.Globalization;
using System.Text;
using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>Writes results in the seed's form: <c>{"avg_1min": 46, "avg_5min": 45.7, "avg_30min": null}</c>.</summary>
internal sealed class ResultWriter
{
    private readonly IReadOnlyList<WindowSpan> _windows;
    private readonly IReadOnlyList<Statistic> _statistics;
    private readonly byte[][] _prefixes;
    private readonly double?[] _values;
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>A writer of statistics over windows: statistic by statistic, each over all windows, in the orders given.</summary>
    public ResultWriter(IReadOnlyList<WindowSpan> windows, IReadOnlyList<Statistic> statistics)
    {
        (_windows, _statistics) = (windows, statistics);
        Names = [.. statistics.SelectMany(statistic => windows.Select(window => $"{statistic}_{window.Name}"))];
        _values = new double?[Names.Count];
        _prefixes = [.. Names.Select((name, i) => Encoding.UTF8.GetBytes($"{(i == 0 ? "{" : ", ")}\"{name}\": "))];
    }

    /// <summary>The names of a result's members.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Writes the result of a series, of windows that end at a time.</summary>
    /// <param name="series">Null for one that has no readings.</param>
    /// <param name="end">Where the windows end; milliseconds since the Unix epoch.</param>
    /// <returns>Valid until the next call.</returns>
    public ReadOnlyMemory<byte> Write(SlidingSeries? series, long end) => Write(Values(series, end));

    /// <summary>The values of a result's members, in the order of the names; valid until the next call.</summary>
    public ReadOnlySpan<double?> Values(SlidingSeries? series, long end)
    {
        for (var window = 0; window < _windows.Count; window++)
        {
            // A series that is forgotten has fallen silent: its windows are empty.
            var summary = series is null ? default : series.Query(end - _windows[window].Milliseconds, end);
            for (var i = 0; i < _statistics.Count; i++)
                _values[(i * _windows.Count) + window] = series is null ? OfNothing(_statistics[i]) : summary.Value(_statistics[i]);
        }
        return _values;
    }

    /// <summary>Writes one result.</summary>
    /// <param name="values">In the order of the names; null where there is no answer, as for the mean of an empty window.</param>
    /// <returns>Valid until the next call.</returns>
    public ReadOnlyMemory<byte> Write(ReadOnlySpan<double?> values)
    {
        _buffer.ResetWrittenCount();
        for (var i = 0; i < values.Length; i++)
        {
            _buffer.Write(_prefixes[i]);
            if (values[i] is not { } value)
                _buffer.Write("null"u8);
            else if (value.TryFormat(_buffer.GetSpan(32), out var length, default, CultureInfo.InvariantCulture)) // The shortest text that reads back.
                _buffer.Advance(length);
        }
        _buffer.Write("}"u8);
        return _buffer.WrittenMemory;
    }

    private static double? OfNothing(Statistic statistic) => statistic.Kind == StatisticKind.Count ? 0 : null;
}
