using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>Collects what a meter measures, and writes it for Prometheus: as OpenMetrics for those who ask for it, otherwise in the older text format.</summary>
internal sealed class MetricsPage : IDisposable
{
    private const string OpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    private const string PlainText = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Collects from now on, also of instruments that are yet to come.</summary>
    public MetricsPage(Meter meter)
    {
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

    /// <summary>Reads everything off and writes it.</summary>
    public string Write(bool asOpenMetrics)
    {
        var text = new StringBuilder();
        lock (_gate)
        {
            _listener.RecordObservableInstruments();
            lock (_families)
            {
                foreach (var family in _families.Values)
                    family.Write(text, asOpenMetrics);
            }
        }
        return asOpenMetrics ? text.Append("# EOF\n").ToString() : text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private Task ServeAsync(HttpContext context)
    {
        var asOpenMetrics = context.Request.Headers.Accept.ToString().Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        return Json.SendAsync(context, asOpenMetrics ? OpenMetrics : PlainText, Encoding.UTF8.GetBytes(Write(asOpenMetrics)));
    }
}
