using Meanwhile.Pipeline;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>What is known at this moment: series and their statistics.</summary>
internal sealed class CurrentApi(Insight insight, PastApi past, TimeProvider time)
{
    private const int DefaultPage = 100;
    private const int LargestPage = 10_000;

    public IEnumerable<Route> Routes =>
    [
        new("/api/series", ["topic", "after", "limit"], SeriesAsync),
        new("/api/statistics", ["topic", "after", "limit", "at"], StatisticsAsync),
    ];

    private Task SeriesAsync(HttpContext context)
    {
        var page = Page(context);
        return Json.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("series"u8);
            page.Windows.Look(page.Topics, Now(), (topic, readings, _) =>
            {
                json.WriteStartObject();
                json.WriteString("topic"u8, topic);
                json.WriteString("result_topic"u8, insight.Options.ResultTopic(topic));
                json.WriteTime("newest"u8, readings.Newest ?? 0);
                json.WriteEndObject();
            });
            json.WriteEndArray();
            json.WriteString("next"u8, page.Next);
            json.WriteEndObject();
        });
    }

    private Task StatisticsAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        if (parameters.Time("at") is { } at)
            return past.StatisticsAsync(context, parameters, at, parameters.Limit(DefaultPage, LargestPage));
        var page = Page(context);
        var writer = new ResultWriter(insight.Options.Windows, insight.Options.Statistics);
        return Json.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("statistics"u8);
            page.Windows.Look(page.Topics, Now(), (topic, readings, end) => json.WriteResult(topic, writer.Write(readings, end).Span, end, readings.Newest));
            json.WriteEndArray();
            json.WriteString("next"u8, page.Next);
            json.WriteEndObject();
        });
    }

    // A page begins after a topic and not at a number, so that series that come and go move none across its edge.
    private (Pipeline.Results Windows, IReadOnlyList<string> Topics, string? Next) Page(HttpContext context)
    {
        var windows = insight.Results ?? throw ProblemException.Rebuilding();
        var parameters = new Parameters(context.Request.Query);
        var (wanted, after, limit) = (parameters.Topic(), parameters.Text("after"), parameters.Limit(DefaultPage, LargestPage));
        List<string> topics =
        [
            .. windows.Topics()
                .Where(topic => (after is null || string.CompareOrdinal(topic, after) > 0) && wanted(topic))
                .Order(StringComparer.Ordinal)
                .Take(limit + 1),
        ];
        return topics.Count > limit ? (windows, topics[..limit], topics[limit - 1]) : (windows, topics, null);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
