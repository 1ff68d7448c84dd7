using System.Text.Json;
using Meanwhile.Pipeline;
using Meanwhile.Windows;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>The history of one series for a chart: bounded in points and in work, whatever the rate.</summary>
internal sealed class HistoryApi(PastApi past, PipelineStatus status, TimeProvider time)
{
    /// <summary>As many spans as a chart has room for.</summary>
    public const int DefaultPoints = 700;

    private const int MostPoints = 5000;

    // What a span takes at most in an answer: four readings, and the time of a result and each of its members.
    private const int BytesASpan = 170;
    private const int BytesAMember = 24;

    // The store is read through for the readings of one series: a quarter of a second or so. Where there are more, only the last ones are shown.
    private const double MostReadings = 500_000;

    private static readonly Statistic HowMany = Statistic.Of(StatisticKind.Count);

    private readonly long _retention = (long)status.Options.Retention.TotalMilliseconds;

    public Route Route => new("/api/history", ["topic", "points"], ServeAsync);

    /// <summary>How long the spans are in which readings are thinned, in milliseconds.</summary>
    public static long Span(AggregatorOptions options, int points) => Math.Max(1, (long)options.Retention.TotalMilliseconds / points);

    private Task ServeAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        var topic = parameters.Text("topic") ?? throw ProblemException.BadParameter("topic", "the topic of a series");
        var most = Math.Clamp(ResponseMemory.LargestResponse / (BytesASpan + (BytesAMember * status.Options.Windows.Count * status.Options.Statistics.Count)), 1, MostPoints);
        var span = Span(status.Options, (int)(parameters.Whole("points", 1, most) ?? Math.Min(DefaultPoints, most)));
        var windows = status.Results ?? throw ProblemException.Rebuilding();
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var isThere = false;
        windows.Look([topic], now, (_, _, _) => isThere = true);
        if (!isThere)
            throw new ProblemException(StatusCodes.Status404NotFound, "there is no series of this topic: /api/series lists those that there are");
        var from = now - (long)(_retention * Math.Min(1, MostReadings / Estimate(windows, now)));
        return past.ReadAsync(context, reader =>
        {
            var keptFrom = status.KeptFrom;
            var readings = new DownsampledReadings(span);
            foreach (var reading in reader.ReadReadings(from, now + (long)status.Options.MaxAhead.TotalMilliseconds))
            {
                if (reading.Series == topic)
                    readings.Add(reading.Time, reading.Value);
            }
            var history = new SeriesHistory(windows, status.Options, topic, now - _retention, now, span);
            var count = 0L;
            windows.Look([topic], now, (_, series, _) => count = Count(series, now));
            return Json.WriteAsync(context, json => Write(json, topic, (keptFrom, from, count), readings, history));
        });
    }

    // How many readings are kept of all series, from some of them.
    private double Estimate(Pipeline.Results windows, long now)
    {
        const int Some = 1000;
        var (topics, sum) = (windows.Topics(), 0L);
        var step = Math.Max(1, topics.Count / Some);
        windows.Look(topics.Where((_, i) => i % step == 0), now, (_, readings, _) => sum += Count(readings, now));
        return Math.Max(1, sum * (double)step);
    }

    private long Count(SlidingSeries readings, long now) => (long)(readings.Query(now - _retention, long.MaxValue).Value(HowMany) ?? 0);

    private static void Write(Utf8JsonWriter json, string topic, (long Kept, long Readings, long Count) told, DownsampledReadings readings, SeriesHistory history)
    {
        json.WriteStartObject();
        json.WriteString("topic"u8, topic);
        json.WriteTime("kept_from"u8, told.Kept);
        json.WriteTime("readings_from"u8, told.Readings);
        json.WriteNumber("count"u8, told.Count);
        json.WritePropertyName("readings"u8);
        json.WriteReadings([.. readings.Read()]);
        json.WriteStartObject("results"u8);
        json.WriteTimes("epochtime"u8, history.Results.Select(result => result.End));
        for (var member = 0; member < history.Names.Count; member++)
        {
            json.WriteStartArray(history.Names[member]);
            foreach (var (_, values) in history.Results)
            {
                if (values[member] is { } value)
                    json.WriteNumberValue(value);
                else
                    json.WriteNullValue();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
