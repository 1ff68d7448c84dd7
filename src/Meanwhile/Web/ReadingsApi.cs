using System.Globalization;
using Meanwhile.Stores;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>Readings, in the order of their times.</summary>
internal sealed class ReadingsApi(PastApi past)
{
    private const int DefaultReadings = 1000;
    private const int MostReadings = 100_000;

    public Route Route => new("/api/readings", ["topic", "from", "to", "after", "limit", "format"], ServeAsync);

    private Task ServeAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        var page = new ReadingsPage(parameters.Topic(), parameters.Limit(DefaultReadings, MostReadings), Position.Read(parameters));
        var (from, to) = (Math.Max(parameters.Time("from") ?? 0, page.After.Time), parameters.Time("to") ?? long.MaxValue);
        Func<HttpContext, ReadingsPage, IEnumerable<Reading>, Task> write = (parameters.Text("format") ?? "json") switch
        {
            "json" => WriteJsonAsync,
            "csv" => WriteCsvAsync,
            _ => throw ProblemException.BadParameter("format", "json or csv"),
        };
        return past.ReadAsync(context, reader => write(context, page, reader.ReadReadings(from, to)));
    }

    private static Task WriteJsonAsync(HttpContext context, ReadingsPage page, IEnumerable<Reading> readings) => Json.WriteAsync(context, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("readings"u8);
        var next = page.Take(readings, reading =>
        {
            json.WriteStartObject();
            json.WriteString("topic"u8, reading.Series);
            json.WriteNumber("number"u8, reading.Value);
            json.WriteTime("epochtime"u8, reading.Time);
            json.WriteEndObject();
            return !json.IsFull();
        });
        json.WriteEndArray();
        json.WriteBoolean("complete"u8, next is null);
        json.WriteString("next"u8, next?.ToString());
        json.WriteEndObject();
    });

    private static async Task WriteCsvAsync(HttpContext context, ReadingsPage page, IEnumerable<Reading> readings)
    {
        using var text = new ResponseBuffer(ResponseMemory.Of(context));
        text.Write("topic,number,epochtime\n");
        var next = page.Take(readings, reading =>
        {
            text.Write(Csv.Quote(reading.Series));
            text.Write(string.Create(CultureInfo.InvariantCulture, $",{reading.Value},{reading.Time / 1000m}\n"));
            return !text.IsFull;
        });
        context.Response.Headers["Meanwhile-Complete"] = next is null ? "true" : "false";
        if (next is not null)
            context.Response.Headers["Meanwhile-Next"] = next.ToString();
        await text.SendAsync(context, "text/csv; charset=utf-8; header=present");
    }
}
