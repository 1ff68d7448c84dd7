using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Meanwhile.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Meanwhile.Web;

/// <summary>
/// Results as they are published, as server-sent events, and the readings of a series. Who reads slowly, or asks for them every so often, misses some,
/// never the last one of a series.
/// </summary>
internal sealed class EventStream(PipelineStatus status, TimeProvider time, CancellationToken stopping)
{
    private const int LargestWrite = 32 << 10;

    // Long topics need more, for a moment.
    private const int LargestKept = 4 * LargestWrite;

    // A comment now and then keeps proxies from hanging up, and finds out about readers that are gone.
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestStall = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    public Route Route => new("/api/events", ["topic", "readings", "every"], ServeAsync);

    private async Task ServeAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        var every = parameters.Duration("every", LongestPause);
        var readingsOf = parameters.Text("readings");
        var mailbox = new ResultMailbox(parameters.Topic(), readingsOf, HistoryApi.Span(status.Options, HistoryApi.DefaultPoints));
        if (!status.Listeners.TryAdd(mailbox))
            throw ProblemException.TooMany("there are too many listeners: expected fewer at a time");
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            context.Response.ContentType = "text/event-stream";
            context.Features.Get<IHttpMinResponseDataRateFeature>()!.MinDataRate = null; // Slow is allowed here; stuck is not, and looked after below.
            if (!HttpMethods.IsHead(context.Request.Method))
                await SendAsync(context.Response, mailbox, readingsOf, every, ending.Token);
        }
        finally
        {
            status.Listeners.Remove(mailbox);
        }
    }

    private async Task SendAsync(HttpResponse response, ResultMailbox mailbox, string? readingsOf, TimeSpan every, CancellationToken ending)
    {
        using var timer = new PeriodicTimer(SignOfLife, time);
        var (waiting, tick) = (mailbox.WaitAsync(ending), timer.WaitForNextTickAsync(ending).AsTask());
        await SendAsync(response, ": these are results as they are published\n\n"u8.ToArray(), ending);
        var buffer = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(buffer, Json.Options);
        while (true)
        {
            await Task.WhenAny(waiting, tick);
            if (tick.IsCompleted)
            {
                await tick;
                tick = timer.WaitForNextTickAsync(ending).AsTask();
                await SendAsync(response, ":\n\n"u8.ToArray(), ending);
            }
            if (!waiting.IsCompleted)
                continue;
            if (!await waiting)
                return; // Too slow for that many series: it may come again.
            if (readingsOf is not null && mailbox.TakeReadings() is { Count: > 0 } readings)
                Encode(buffer, json, readingsOf, readings);
            while (mailbox.TryTake(out var series, out var result))
            {
                Encode(buffer, json, series, result);
                if (buffer.WrittenCount >= LargestWrite)
                    await SendAsync(response, buffer, ending);
            }
            await SendAsync(response, buffer, ending);
            if (buffer.Capacity > LargestKept)
                json.Reset(buffer = new ArrayBufferWriter<byte>());
            if (every > TimeSpan.Zero)
                await Task.Delay(every, time, ending); // What comes meanwhile is gathered.
            waiting = mailbox.WaitAsync(ending);
        }
    }

    private async Task SendAsync(HttpResponse response, ArrayBufferWriter<byte> buffer, CancellationToken ending)
    {
        await SendAsync(response, buffer.WrittenMemory, ending);
        buffer.ResetWrittenCount();
    }

    private Task SendAsync(HttpResponse response, ReadOnlyMemory<byte> text, CancellationToken ending) => response.WriteAsync(text, LongestStall, time, ending);

    private static void Encode(ArrayBufferWriter<byte> buffer, Utf8JsonWriter json, string series, in PublishedResult result)
    {
        buffer.Write("id: "u8);
        result.Number.TryFormat(buffer.GetSpan(20), out var length, default, CultureInfo.InvariantCulture);
        buffer.Advance(length);
        buffer.Write("\nevent: result\ndata: "u8);
        json.WriteResult(series, result.Payload, result.End, result.Newest);
        Finish(buffer, json);
    }

    private static void Encode(ArrayBufferWriter<byte> buffer, Utf8JsonWriter json, string series, List<(long Time, double Value)> readings)
    {
        buffer.Write("event: readings\ndata: "u8);
        json.WriteStartObject();
        json.WriteString("topic"u8, series);
        json.WritePropertyName("readings"u8);
        json.WriteReadings(readings);
        json.WriteEndObject();
        Finish(buffer, json);
    }

    private static void Finish(ArrayBufferWriter<byte> buffer, Utf8JsonWriter json)
    {
        json.Flush();
        json.Reset();
        buffer.Write("\n\n"u8);
    }
}
