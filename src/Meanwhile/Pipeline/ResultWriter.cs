using System.Buffers;
using System.Globalization;
using System.Text;
using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>Writes results in the seed's form: <c>{"avg_1min": 46, "avg_5min": 45.7, "avg_30min": null}</c>.</summary>
internal sealed class ResultWriter
{
    private readonly byte[][] _prefixes;
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>A writer of statistics over windows: statistic by statistic, each over all windows, in the orders given.</summary>
    public ResultWriter(IReadOnlyList<WindowSpan> windows, IReadOnlyList<Statistic> statistics)
    {
        var names = statistics.SelectMany(statistic => windows.Select(window => $"{statistic}_{window.Name}"));
        _prefixes = [.. names.Select((name, i) => Encoding.UTF8.GetBytes($"{(i == 0 ? "{" : ", ")}\"{name}\": "))];
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
}
