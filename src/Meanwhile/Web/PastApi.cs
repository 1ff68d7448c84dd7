using Meanwhile.History;
using Meanwhile.Logging;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Web;

/// <summary>What the store knows. Each answer is of one moment.</summary>
internal sealed class PastApi(string store, AggregatorOptions options, TimeProvider time, ILogger logger, SemaphoreSlim processors) : IDisposable
{
    // What is in the windows of a page is in memory until it is written: some 40 bytes each.
    private const int MostInWindows = 500_000;

    private readonly LargeResponseQueue _queue = new(processors);
    private readonly LogLimiter _limiter = new(time);

    public IEnumerable<Route> Routes => [new ReadingsApi(this).Route, .. new QuarantineApi(this).Routes];

    /// <summary>Results as of a time, as <c>meanwhile query --at</c> tells them.</summary>
    public Task StatisticsAsync(HttpContext context, Parameters parameters, long at, int limit) => ReadAsync(context, reader =>
    {
        var page = new TopicPage(parameters.Topic(), parameters.Text("after"), limit);
        var past = new AsOf(reader, options, at, byClock: options.Tick is not null, page, MostInWindows);
        if (past.IsTooLarge)
            throw new ProblemException(StatusCodes.Status422UnprocessableEntity, $"one series has more than {MostInWindows} readings until then, too many for an answer: ask meanwhile query --at, or go on after the series that comes next");
        var writer = new ResultWriter(options.Windows, options.Statistics);
        return Json.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("statistics"u8);
            foreach (var (topic, readings, end) in past.Series())
            {
                json.WriteResult(topic, writer.Write(readings, end).Span, end, readings.Newest);
                page.Written(topic);
                if (json.IsFull())
                    break;
            }
            json.WriteEndArray();
            json.WriteString("next"u8, page.Next);
            // Where windows reach back to before the retention, older readings may have been deleted.
            json.WriteBoolean("complete"u8, past.EarliestStart >= Math.Min(past.Oldest, Now() - (long)options.Retention.TotalMilliseconds));
            json.WriteEndObject();
        });
    });

    /// <summary>
    /// Answers with what is read. Answers are collected before they are sent: a slow reader must not keep a transaction open, and the store's log from
    /// shrinking.
    /// </summary>
    public Task ReadAsync(HttpContext context, Func<IStoreReader, Task> answer) => _queue.RunAsync(context, () =>
    {
        Task sending;
        using (var reader = new CancellableReader(Store.OpenForReading(store, options.Filter, Say, context.RequestAborted), context.RequestAborted))
            sending = answer(reader);
        return sending;
    });

    /// <inheritdoc/>
    public void Dispose() => _queue.Dispose();

    private void Say(LeftOut leftOut)
    {
        if (_limiter.MayLog(nameof(LeftOut), out var repeated))
            Log.LeftOut(logger, Store.Describe(store), leftOut.Readings, leftOut.Reason, repeated);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
