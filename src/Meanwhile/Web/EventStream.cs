using System.Buffers;
using System.Text.Json;
using Meanwhile.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Meanwhile.Web;

/// <summary>Results as they are published, as server-sent events. Who reads slowly misses some, never the last one of a series.</summary>
internal sealed class EventStream(Insight insight, TimeProvider time, CancellationToken stopping)
{
    // A comment now and then keeps proxies from hanging up, and finds out about readers that are gone.
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestStall = TimeSpan.FromMinutes(2);

    public Route Route => new("/api/events", ["topic"], ServeAsync);

    private async Task ServeAsync(HttpContext context)
    {
        var wanted = new Parameters(context.Request.Query).Topic();
        var mailbox = new ResultMailbox(wanted);
        if (!insight.Listeners.TryAdd(mailbox))
            throw ProblemException.NotNow("there are too many listeners");
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            context.Response.ContentType = "text/event-stream";
            context.Features.Get<IHttpMinResponseDataRateFeature>()!.MinDataRate = null; // Slow is allowed here; stuck is not, and looked after below.
            if (!HttpMethods.IsHead(context.Request.Method))
                await SendAsync(context.Response, mailbox, ending.Token);
        }
        finally
        {
            insight.Listeners.Remove(mailbox);
        }
    }

    private async Task SendAsync(HttpResponse response, ResultMailbox mailbox, CancellationToken ending)
    {
        using var timer = new PeriodicTimer(SignOfLife, time);
        var (waiting, tick) = (mailbox.WaitAsync(ending), timer.WaitForNextTickAsync(ending).AsTask());
        await SendAsync(response, ": these are results as they are published\n\n"u8.ToArray(), ending);
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
            while (mailbox.TryTake(out var result))
                await SendAsync(response, Encode(result.Series, result.Payload, result.End), ending);
            waiting = mailbox.WaitAsync(ending);
        }
    }

    // The response buffers 64 KiB and then waits for the reader; meanwhile the mailbox keeps what is newest.
    private async Task SendAsync(HttpResponse response, ReadOnlyMemory<byte> text, CancellationToken ending)
    {
        try
        {
            await response.Body.WriteAsync(text, ending).AsTask().WaitAsync(LongestStall, time, ending);
        }
        catch (TimeoutException e)
        {
            throw new OperationCanceledException("the reader is stuck", e);
        }
    }

    private static ReadOnlyMemory<byte> Encode(string series, byte[] payload, long end)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        buffer.Write("event: result\ndata: "u8);
        using (var json = new Utf8JsonWriter(buffer))
            json.WriteResult(series, payload, end);
        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }
}
