using System.CommandLine;
using Meanwhile.Pipeline;
using Meanwhile.Stores;
using Meanwhile.Windows;

namespace Meanwhile.Settings;

/// <summary>What is read out of messages, and what is made of it.</summary>
internal static class AggregatorSettings
{
    private static readonly Statistic Mean = Statistic.Of(StatisticKind.Mean);

    private const string Arrival = "arrival";

    public static readonly Setting<IReadOnlyList<WindowSpan>> Windows = new(
        "--windows", null, "60s,5min,30min", "SPANS", "windows of the results", WindowSpan.ParseList);

    public static readonly Setting<IReadOnlyList<Statistic>> Statistics = new(
        "--stats", null, null, "NAMES", "statistics after the mean, such as count,min,p95", ParseStatistics);

    public static readonly Setting<JsonPointer> Value = new(
        "--value", null, "/number", "POINTER", "JSON Pointer to the number in a payload", JsonPointer.Parse);

    public static readonly Setting<string> Time = new(
        "--time", null, "/epochtime", "POINTER", "JSON Pointer to the time in a payload, or arrival for the time at which it arrives", ParseTime);

    public static readonly Setting<JsonPointer> Identity = new(
        "--id", null, null, "POINTER", "JSON Pointer to a reading's own identity: the same one never counts twice in its series", JsonPointer.Parse);

    public static readonly Setting<TimeSpan> MaxAhead = new(
        "--max-ahead", null, "5min", "SPAN", "a reading further than this past the clock is none", Duration.Parse);

    private static readonly Setting<TimeSpan?> Tick = new(
        "--tick", null, null, "SPAN", "let windows move with the clock, so often, also when no reading arrives", ParseTick);

    private static readonly Setting<TimeSpan> QuarantineAge = new(
        "--quarantine-age", null, "30d", "SPAN", "how long messages that are no readings are kept", Duration.Parse);

    private static readonly Setting<long> QuarantineMessages = new(
        "--quarantine-messages", null, "100000", "NUMBER", "how many of them are kept at most; the oldest go first", text => CommonSettings.ParseWhole(text, 0, long.MaxValue));

    private static readonly Setting<long> QuarantineBytes = new(
        "--quarantine-bytes", null, "268435456", "NUMBER", "how many bytes of them are kept at most", text => CommonSettings.ParseWhole(text, 0, long.MaxValue));

    /// <summary>The most series there may be.</summary>
    public static readonly Setting<int?> Series = new(
        "--max-series", null, null, "NUMBER", "the most series there may be; beyond it, readings of new series are refused and known series continue [default: one for each 4096 bytes of --max-memory]", ParseCount);

    /// <summary>The most series that one client may add.</summary>
    public static readonly Setting<int?> SeriesOfClient = new(
        "--max-series-client", null, null, "NUMBER", "the most series that one client of the embedded broker may add [default: half of the default of --max-series; --max-series if that is given]", ParseCount);

    /// <summary>How a payload is read.</summary>
    public static IEnumerable<Option> ParserOptions { get; } = [Value.Option, Time.Option, Identity.Option, MaxAhead.Option];

    /// <summary>All of them.</summary>
    public static IEnumerable<Option> Options { get; } =
        [Windows.Option, Statistics.Option, .. ParserOptions, Tick.Option, Series.Option, SeriesOfClient.Option, QuarantineAge.Option, QuarantineMessages.Option, QuarantineBytes.Option];

    /// <summary>Reads those that the command has, with the topics; the others keep their defaults.</summary>
    public static AggregatorOptions Read(ParseResult commandLine, SettingSources sources)
    {
        var time = Time.Read(commandLine, sources)!;
        var mostSeries = Series.Read(commandLine, sources);
        var standard = SeriesQuota.MostIn(BrokerLimitSettings.ReadMemory(commandLine, sources));
        return Check(new AggregatorOptions(CommonSettings.Topic.Read(commandLine, sources)!, CommonSettings.StatsTopic.Read(commandLine, sources)!)
        {
            Parser = new ReadingParser(Value.Read(commandLine, sources)!, time == Arrival ? null : JsonPointer.Parse(time), Identity.Read(commandLine, sources)),
            Windows = Windows.Read(commandLine, sources)!,
            Statistics = [Mean, .. (Statistics.Read(commandLine, sources) ?? []).Where(statistic => statistic != Mean)],
            MaxAhead = MaxAhead.Read(commandLine, sources),
            Tick = Tick.Read(commandLine, sources),
            QuarantineAge = QuarantineAge.Read(commandLine, sources),
            MostSeries = mostSeries ?? standard,
            MostSeriesOfClient = SeriesOfClient.Read(commandLine, sources) ?? mostSeries ?? standard / 2,
        });
    }

    /// <summary>What the store has to know of its owner, the aggregator.</summary>
    /// <param name="session">The feed's session at its broker.</param>
    /// <param name="filter">The topic or filter of the readings.</param>
    public static StoreOptions ReadStore(ParseResult commandLine, SettingSources sources, string session, string filter) => new(session, filter)
    {
        QuarantinedMessages = QuarantineMessages.Read(commandLine, sources),
        QuarantinedBytes = QuarantineBytes.Read(commandLine, sources),
    };

    /// <summary>Sees to it that results do not come back as readings.</summary>
    public static AggregatorOptions Check(AggregatorOptions options)
    {
        if (options.Filter == options.StatsTopic)
            throw new UserException($"TOPIC and STATS_TOPIC are both '{options.Filter}', so results would come back as readings: expected two topics", ExitCode.Usage);
        return options;
    }

    private static IReadOnlyList<Statistic> ParseStatistics(string text)
    {
        try
        {
            return Statistic.ParseList(text);
        }
        catch (FormatException e)
        {
            throw new FormatException("names with commas between them, of count, sum, min, max, first, last, range, var, varp, stddev, stddevp, rate, twa, ewma and pN such as p95", e);
        }
    }

    private static int? ParseCount(string text) => (int)CommonSettings.ParseWhole(text, 1, int.MaxValue);

    private static TimeSpan? ParseTick(string text) =>
        Duration.TryParse(text, out var tick) && tick >= TimeSpan.FromMilliseconds(10) && tick <= TimeSpan.FromMinutes(1)
            ? tick
            : throw new FormatException("a span of time from 10ms to 1min, such as 1s");

    private static string ParseTime(string text) => text == Arrival ? text : JsonPointer.Parse(text).ToString();
}
