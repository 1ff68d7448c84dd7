using System.Text.Json;
using Meanwhile.History;
using Meanwhile.Logging;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Web;

/// <summary>What the store knows: results as of a time, readings, and what was no reading. Each answer is of one moment.</summary>
internal sealed class PastApi(string store, AggregatorOptions options, TimeProvider time, ILogger? logger = null) : IDisposable
{
    private const int DefaultReadings = 1000;
    private const int MostReadings = 100_000;
    private const int DefaultMessages = 100;
    private const int MostMessages = 1000;

    // One reads, the others wait: the past is for people, and must not take the machine from the present.
    private readonly SemaphoreSlim _turn = new(1);
    private readonly LogLimiter _limiter = new(time);

    public IEnumerable<Route> Routes =>
    [
        new("/api/readings", ["topic", "from", "to", "limit", "format"], ReadingsAsync),
        new("/api/quarantine", ["order", "after", "limit"], QuarantineAsync),
        new("/api/quarantine/message", ["number"], MessageAsync),
    ];

    /// <summary>Results as of a time, as <c>meanwhile query --at</c> tells them.</summary>
    public Task StatisticsAsync(HttpContext context, Parameters parameters, long at, int limit) => ReadAsync(context, reader =>
    {
        var (wanted, after) = (parameters.Topic(), parameters.Text("after"));
        var past = new AsOf(reader, options, at, byClock: options.Tick is not null);
        var writer = new ResultWriter(options.Windows, options.Statistics);
        return Json.WriteAsync(context, json =>
        {
            var (count, last, next) = (0, "", default(string));
            json.WriteStartObject();
            json.WriteStartArray("statistics"u8);
            foreach (var (topic, readings, end) in past.Series().Where(s => (after is null || string.CompareOrdinal(s.Topic, after) > 0) && wanted(s.Topic)))
            {
                if (count++ == limit)
                {
                    next = last;
                    break;
                }
                json.WriteResult(last = topic, writer.Write(readings, end).Span, end, readings.Newest);
            }
            json.WriteEndArray();
            json.WriteString("next"u8, next);
            // Where windows reach back to before the retention, older readings may have been deleted.
            json.WriteBoolean("complete"u8, past.EarliestStart >= Math.Min(past.Oldest, Now() - (long)options.Retention.TotalMilliseconds));
            json.WriteEndObject();
        });
    });

    private Task ReadingsAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        var (wanted, limit) = (parameters.Topic(), parameters.Limit(DefaultReadings, MostReadings));
        var (from, to) = (parameters.Time("from") ?? 0, parameters.Time("to") ?? long.MaxValue);
        var isCsv = (parameters.Text("format") ?? "json") switch
        {
            "json" => false,
            "csv" => true,
            _ => throw ProblemException.BadParameter("format", "json or csv"),
        };
        return ReadAsync(context, reader =>
        {
            List<Reading> readings = [.. reader.ReadReadings(from, to).Where(reading => wanted(reading.Series)).Take(limit + 1)];
            var isComplete = readings.Count <= limit;
            if (!isComplete)
                readings.RemoveAt(limit);
            return isCsv ? WriteCsvAsync(context, readings, isComplete) : Json.WriteAsync(context, json => Write(json, readings, isComplete));
        });
    }

    private static void Write(Utf8JsonWriter json, List<Reading> readings, bool isComplete)
    {
        json.WriteStartObject();
        json.WriteStartArray("readings"u8);
        foreach (var reading in readings)
        {
            json.WriteStartObject();
            json.WriteString("topic"u8, reading.Series);
            json.WriteNumber("number"u8, reading.Value);
            json.WriteTime("epochtime"u8, reading.Time);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteBoolean("complete"u8, isComplete);
        json.WriteEndObject();
    }

    private static Task WriteCsvAsync(HttpContext context, List<Reading> readings, bool isComplete)
    {
        context.Response.Headers["Meanwhile-Complete"] = isComplete ? "true" : "false";
        var text = new MemoryStream();
        var table = new TableWriter(text, DataFormat.Csv);
        table.WriteNames("topic", "number", "epochtime");
        foreach (var reading in readings)
            table.Write(reading);
        table.Flush();
        return Json.SendAsync(context, "text/csv; charset=utf-8; header=present", text.ToArray());
    }

    private Task QuarantineAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        var newestFirst = (parameters.Text("order") ?? "oldest") switch
        {
            "oldest" => false,
            "newest" => true,
            _ => throw ProblemException.BadParameter("order", "oldest or newest"),
        };
        var (after, limit) = (parameters.Whole("after", 0, long.MaxValue), parameters.Limit(DefaultMessages, MostMessages));
        return ReadAsync(context, reader => Json.WriteAsync(context, json =>
        {
            var (count, last, hasMore) = (0, 0L, false);
            json.WriteStartObject();
            json.WriteStartArray("messages"u8);
            foreach (var message in reader.ReadQuarantine(newestFirst).Where(m => after is null || (newestFirst ? m.Number < after : m.Number > after)))
            {
                hasMore = count++ == limit;
                if (hasMore)
                    break;
                Write(json, message, withPayload: false);
                last = message.Number;
            }
            json.WriteEndArray();
            if (hasMore)
                json.WriteNumber("next"u8, last);
            else
                json.WriteNull("next"u8);
            json.WriteEndObject();
        }));
    }

    private Task MessageAsync(HttpContext context)
    {
        var number = new Parameters(context.Request.Query).Whole("number", 0, long.MaxValue) ?? throw ProblemException.BadParameter("number", "the number of a message");
        return ReadAsync(context, reader => reader.ReadQuarantine().Where(m => m.Number == number).Take(1).ToList() is [var message]
            ? Json.WriteAsync(context, json => Write(json, message, withPayload: true))
            : throw new ProblemException(StatusCodes.Status404NotFound, $"there is no message {number} in the quarantine: /api/quarantine lists them"));
    }

    private static void Write(Utf8JsonWriter json, in QuarantinedMessage quarantined, bool withPayload)
    {
        var (number, message) = quarantined;
        json.WriteStartObject();
        json.WriteNumber("number"u8, number);
        json.WriteTime("arrived"u8, message.Arrived);
        json.WriteString("topic"u8, message.Topic);
        json.WriteNumber("bytes"u8, message.Payload.Length);
        json.WriteString("reason"u8, message.Reason);
        if (withPayload)
            json.WriteBase64String("payload"u8, message.Payload.Span);
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    /// <summary>
    /// Answers with what is read. Answers are collected before they are sent: a slow reader must not keep a transaction open, and the store's log from
    /// shrinking.
    /// </summary>
    public async Task ReadAsync(HttpContext context, Func<IStoreReader, Task> answer)
    {
        Task sending;
        await _turn.WaitAsync(context.RequestAborted);
        try
        {
            using var reader = Store.OpenForReading(store, options.Filter, Say);
            sending = answer(reader);
        }
        finally
        {
            _turn.Release();
        }
        await sending;
    }

    private void Say(LeftOut leftOut)
    {
        if (logger is not null && _limiter.MayLog(nameof(LeftOut), out var repeated))
            Log.LeftOut(logger, Store.Describe(store), leftOut.Readings, leftOut.Reason, repeated);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
