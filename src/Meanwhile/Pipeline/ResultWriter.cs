using System.Buffers;
using System.Globalization;
using System.Text;

namespace Meanwhile.Pipeline;

/// <summary>Writes results in the seed's form: <c>{"avg_1min": 46, "avg_5min": 45.7, "avg_30min": null}</c>.</summary>
internal sealed class ResultWriter
{
    private readonly byte[][] _prefixes;
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>A writer of the means over some windows, in their order.</summary>
    public ResultWriter(IReadOnlyList<WindowSpan> windows) =>
        _prefixes = [.. windows.Select((window, i) => Encoding.UTF8.GetBytes($"{(i == 0 ? "{" : ", ")}\"avg_{window.Name}\": "))];

    /// <summary>Writes one result.</summary>
    /// <param name="means">One for each window; null where the window holds no reading.</param>
    public byte[] Write(ReadOnlySpan<double?> means)
    {
        _buffer.ResetWrittenCount();
        for (var i = 0; i < means.Length; i++)
        {
            _buffer.Write(_prefixes[i]);
            if (means[i] is not { } mean)
                _buffer.Write("null"u8);
            else if (mean.TryFormat(_buffer.GetSpan(32), out var length, default, CultureInfo.InvariantCulture)) // The shortest text that reads back.
                _buffer.Advance(length);
        }
        _buffer.Write("}"u8);
        return _buffer.WrittenSpan.ToArray();
    }
}
