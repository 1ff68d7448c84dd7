using System.Buffers;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Meanwhile.Web;

/// <summary>One instrument's measurements: the last ones of those that are read off, the sums of a histogram.</summary>
internal sealed class MetricFamily
{
    private readonly string _type;
    private readonly string _help;
    private readonly List<(KeyValuePair<string, object?>[] Tags, double Value)> _samples = [];
    private readonly double[]? _bounds;
    private readonly long[] _buckets = [];
    private readonly Lock _gate = new();
    private double _sum;

    public MetricFamily(Instrument instrument)
    {
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        (Name, _help) = (instrument.Name.Replace('.', '_') + unit, Escape(instrument.Description ?? ""));
        _bounds = instrument switch
        {
            Histogram<double> histogram => [.. histogram.Advice!.HistogramBucketBoundaries!],
            Histogram<int> histogram => [.. histogram.Advice!.HistogramBucketBoundaries!.Select(bound => (double)bound)],
            _ => null,
        };
        if (_bounds is not null)
            _buckets = new long[_bounds.Length + 1];
        _type = _bounds is not null ? "histogram" : instrument is ObservableCounter<long> or ObservableCounter<double> ? "counter" : "gauge";
    }

    /// <summary>Without the suffix of a counter.</summary>
    public string Name { get; }

    /// <summary>Takes a measurement in.</summary>
    public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
        {
            if (_bounds is null)
            {
                _samples.Add((tags.ToArray(), value));
                return;
            }
            var bucket = 0;
            while (bucket < _bounds.Length && value > _bounds[bucket])
                bucket++;
            _buckets[bucket]++;
            _sum += value;
        }
    }

    /// <summary>Forgets what was read off.</summary>
    public void Forget()
    {
        lock (_gate)
            _samples.Clear();
    }

    /// <summary>Writes what there is, and forgets what was read off.</summary>
    public void Write(IBufferWriter<byte> page, bool asOpenMetrics)
    {
        var sampleName = _type == "counter" ? Name + "_total" : Name;
        var familyName = asOpenMetrics ? Name : sampleName; // OpenMetrics names a counter's family without its suffix.
        Write(page, $"# HELP {familyName} {_help}\n# TYPE {familyName} {_type}\n");
        lock (_gate)
        {
            if (_bounds is not null)
                WriteHistogram(page, _bounds);
            foreach (var (tags, value) in _samples)
            {
                Write(page, sampleName);
                WriteLabels(page, tags);
                Write(page, $" {Number(value)}\n");
            }
            _samples.Clear();
        }
    }

    private void WriteHistogram(IBufferWriter<byte> page, double[] bounds)
    {
        var count = 0L;
        for (var i = 0; i < _buckets.Length; i++)
            Write(page, $"{Name}_bucket{{le=\"{(i < bounds.Length ? Number(bounds[i]) : "+Inf")}\"}} {count += _buckets[i]}\n");
        Write(page, $"{Name}_sum {Number(_sum)}\n{Name}_count {count}\n");
    }

    private static void WriteLabels(IBufferWriter<byte> page, KeyValuePair<string, object?>[] tags)
    {
        for (var i = 0; i < tags.Length; i++)
        {
            Write(page, i == 0 ? "{" : ",");
            Write(page, tags[i].Key);
            Write(page, "=\"");
            Write(page, Escape(tags[i].Value?.ToString() ?? ""));
            Write(page, "\"");
        }
        if (tags.Length > 0)
            Write(page, "}");
    }

    private static void Write(IBufferWriter<byte> page, string text) => Encoding.UTF8.GetBytes(text, page);

    // What the formats ask to be escaped; a line end would otherwise start a line of the publisher's choice.
    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
