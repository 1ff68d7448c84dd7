using System.Buffers;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>Collects what a meter measures, and writes it for Prometheus: as OpenMetrics for those who ask for it, otherwise in the older text format.</summary>
internal sealed class MetricsPage : IDisposable
{
    private const string OpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    private const string PlainText = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly LargeResponseQueue _queue;

    /// <summary>Collects from now on, also of instruments that are yet to come.</summary>
    public MetricsPage(Meter meter, SemaphoreSlim processors)
    {
        _queue = new LargeResponseQueue(processors);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != meter)
                return;
            var family = new MetricFamily(instrument);
            lock (_families)
                _families.Add(family.Name, family);
            listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Take(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Take(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Take(value, tags));
        _listener.Start();
    }

    public Route Route => new("/metrics", [], ServeAsync);

    /// <summary>Reads everything off and writes it. One at a time.</summary>
    public void Write(IBufferWriter<byte> page, bool asOpenMetrics)
    {
        lock (_families)
        {
            foreach (var family in _families.Values)
                family.Forget(); // A page that came to nothing may have left something.
        }
        _listener.RecordObservableInstruments();
        lock (_families)
        {
            foreach (var family in _families.Values)
                family.Write(page, asOpenMetrics);
        }
        if (asOpenMetrics)
            page.Write("# EOF\n"u8);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        _queue.Dispose();
    }

    private Task ServeAsync(HttpContext context) => _queue.RunAsync(context, async () =>
    {
        var asOpenMetrics = context.Request.Headers.Accept.ToString().Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        using var page = new ResponseBuffer(ResponseMemory.Of(context));
        Write(page, asOpenMetrics);
        await page.SendAsync(context, asOpenMetrics ? OpenMetrics : PlainText);
    });
}
