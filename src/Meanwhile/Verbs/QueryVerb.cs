using System.CommandLine;
using System.Text;
using Meanwhile.History;
using Meanwhile.Logging;
using Meanwhile.Pipeline;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>Asks the past: results as of a time, and the readings that they were made of.</summary>
internal static class QueryVerb
{
    // No aggregator keeps readings for less than this, whatever its windows.
    private static readonly TimeSpan LeastRetention = new AggregatorOptions("", "").Retention;

    private static readonly Setting<long?> At = new(
        "--at", null, null, "TIME", "readings after this do not count: seconds since 1970, or ISO 8601 with a zone [default: the clock and --max-ahead]", ParseTime);

    private static readonly Option<bool> ByClock = new("--by-clock") { Description = "let windows end at the time of --at (or now) itself, as aggregate --tick does" };

    private static readonly Option<bool> WithReadings = new("--readings") { Description = "write the readings in the longest window, not the results" };

    public static Command Command() => VerbContext.Command(
        "query",
        "results as of a time, or the readings they are made of; also while an aggregator runs",
        [
            CommonSettings.DbFile.Option, CommonSettings.Topic.Option, At.Option, ByClock, AggregatorSettings.Windows.Option, AggregatorSettings.Statistics.Option,
            AggregatorSettings.MaxAhead.Option, WithReadings, DataFile.Format.Option,
        ],
        RunAsync);

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var options = AggregatorSettings.Read(context.CommandLine, context.Sources);
        var now = context.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var byClock = context.CommandLine.GetValue(ByClock);
        var at = context.Read(At) ?? (byClock ? now : now + (long)options.MaxAhead.TotalMilliseconds);
        var format = DataFile.FormatOf(context, path: null);
        using var store = context.OpenForReading(options.Filter);
        var past = new AsOf(store, options, at, byClock);
        if (past.EarliestStart < Math.Min(past.Oldest, now - (long)LeastRetention.TotalMilliseconds))
            Log.MayBeIncomplete(context.Logger, DateTimeOffset.FromUnixTimeMilliseconds(past.EarliestStart).UtcDateTime);
        if (past is { IsEmpty: true, Other: { } other })
            Log.OnlyOthers(context.Logger, options.Filter, other);
        await DataFile.WriteAsync(context, path: null, output =>
        {
            var table = new TableWriter(output, format);
            if (context.CommandLine.GetValue(WithReadings))
                WriteReadings(past, table, stop);
            else
                WriteResults(past, table, new ResultWriter(options.Windows, options.Statistics), format, stop);
            table.Flush();
            return Task.CompletedTask;
        });
    }

    private static void WriteReadings(AsOf past, TableWriter table, CancellationToken stop)
    {
        table.WriteNames("topic", "number", "epochtime");
        foreach (var reading in past.Readings())
        {
            stop.ThrowIfCancellationRequested();
            table.Write(reading);
        }
    }

    private static void WriteResults(AsOf past, TableWriter table, ResultWriter results, DataFormat format, CancellationToken stop)
    {
        table.WriteNames(["topic", "epochtime", .. results.Names]);
        foreach (var (topic, readings, end) in past.Series())
        {
            stop.ThrowIfCancellationRequested();
            if (format == DataFormat.Json)
                table.WriteJson(topic, end, results.Write(readings, end).Span);
            else
                table.WriteCsv(topic, end, results.Values(readings, end));
        }
    }

    private static long? ParseTime(string text) => EventTime.TryParse(Encoding.UTF8.GetBytes(text), out var time)
        ? time
        : throw new FormatException("seconds since 1970, or an ISO 8601 time with a zone such as 2026-01-31T12:00:00Z");
}
