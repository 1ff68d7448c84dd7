using System.Text.Json;
using Meanwhile.History;
using Meanwhile.Pipeline;
using Meanwhile.Windows;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>What is known at this moment: series and their statistics.</summary>
internal sealed class CurrentApi(PipelineStatus status, PastApi past, TimeProvider time, SemaphoreSlim processors) : IDisposable
{
    private const int DefaultPage = 100;
    private const int LargestPage = 10_000;

    private readonly LargeResponseQueue _queue = new(processors);

    public IEnumerable<Route> Routes =>
    [
        new("/api/series", ["topic", "after", "limit"], SeriesAsync),
        new("/api/statistics", ["topic", "after", "limit", "at"], StatisticsAsync),
    ];

    private Task SeriesAsync(HttpContext context) => WriteAsync(context, "series", (json, topic, readings, _) =>
    {
        json.WriteStartObject();
        json.WriteString("topic"u8, topic);
        json.WriteString("result_topic"u8, status.Options.ResultTopic(topic));
        json.WriteTime("newest"u8, readings.Newest ?? 0);
        json.WriteEndObject();
    });

    private Task StatisticsAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        if (parameters.Time("at") is { } at)
            return past.StatisticsAsync(context, parameters, at, parameters.Limit(DefaultPage, LargestPage));
        var writer = new ResultWriter(status.Options.Windows, status.Options.Statistics);
        return WriteAsync(context, "statistics", (json, topic, readings, end) => json.WriteResult(topic, writer.Write(readings, end).Span, end, readings.Newest));
    }

    private Task WriteAsync(HttpContext context, string name, Action<Utf8JsonWriter, string, SlidingSeries, long> write)
    {
        var windows = status.Results ?? throw ProblemException.Rebuilding();
        var parameters = new Parameters(context.Request.Query);
        var page = new TopicPage(parameters.Topic(), parameters.Text("after"), parameters.Limit(DefaultPage, LargestPage));
        return _queue.RunAsync(context, () => Json.WriteAsync(context, json =>
        {
            foreach (var topic in windows.Topics())
                page.Add(topic, out _);
            json.WriteStartObject();
            json.WriteStartArray(name);
            windows.Look(page.Topics, time.GetUtcNow().ToUnixTimeMilliseconds(), (topic, readings, end) =>
            {
                if (json.IsFull())
                    return;
                write(json, topic, readings, end);
                page.Written(topic);
            });
            json.WriteEndArray();
            json.WriteString("next"u8, page.Next);
            json.WriteEndObject();
        }));
    }

    /// <inheritdoc/>
    public void Dispose() => _queue.Dispose();
}
