using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using Meanwhile.Feeds;
using Meanwhile.Mqtt.Session;
using Meanwhile.Pipeline;
using Meanwhile.Windows;

namespace Meanwhile.Telemetry;

/// <summary>Metrics that are read off when somebody asks for them, and cost nothing in between.</summary>
/// <param name="status">What there is to see.</param>
/// <param name="mostSeries">How many series have metrics of their own.</param>
/// <param name="time">The clock.</param>
internal sealed class Gauges(PipelineStatus status, int mostSeries, TimeProvider time)
{
    /// <summary>The mean of each window, by series.</summary>
    public const string SeriesMean = "meanwhile.series.mean";

    /// <summary>How many readings are in each window, by series.</summary>
    public const string SeriesReadings = "meanwhile.series.readings";

    // Of queues with metrics of their own.
    private const int MostQueues = 10;

    private static readonly Measurement<long>[] NoCounts = [];
    // A topic stands in each of its series' metrics, and may have 64 KiB.
    private const long LongestNames = 4 << 20;

    private readonly Meter _meter = status.Meter;

    private EmbeddedFeed? Broker => status.Feed as EmbeddedFeed;

    private IReadOnlyList<QueueFill> Queues => Broker?.FillingQueues ?? [];

    /// <summary>Makes them known to the meter.</summary>
    public void Register()
    {
        RegisterLedger(status.Ledger);
        RegisterState();
        RegisterQueues();
        RegisterMemory();
        RegisterProcess();
        RegisterSeries();
    }

    private void RegisterLedger(Ledger ledger)
    {
        Count("meanwhile.messages.received", "{message}", "Messages taken in from the network.", () => ledger.Received);
        Count("meanwhile.messages.received_with_dup", "{message}", "Those of them that came with DUP set.", () => ledger.ReceivedAgain);
        Count("meanwhile.messages.committed", "{message}", "Readings on disk.", () => ledger.Committed);
        Count("meanwhile.messages.quarantined", "{message}", "Messages that are no reading, on disk with their reason.", () => ledger.Quarantined);
        Count("meanwhile.messages.duplicate", "{message}", "Redeliveries of what was taken in before.", () => ledger.Duplicates);
        Count("meanwhile.messages.expired", "{message}", "Readings that were older than the retention when they arrived.", () => ledger.Expired);
        Count("meanwhile.messages.ignored", "{message}", "Messages that were acknowledged and nothing else, such as empty ones.", () => ledger.Ignored);
        Count("meanwhile.messages.acknowledged", "{message}", "Messages whose acknowledgement was handed to the connection.", () => ledger.Acknowledged);
        Count("meanwhile.quarantine.dropped", "{message}", "Messages that had to leave the quarantine, because it is bounded.", () => ledger.DroppedFromQuarantine);
        Count("meanwhile.quarantine.unexpected", "{message}", "Quarantined messages on topics that have readings, apart from those that tell whether a device is there.", () => ledger.Unexpected);
        Count("meanwhile.results.own", "{message}", "Results that came back as messages, and were passed over.", () => ledger.OwnResults);
        Count("meanwhile.results.published", "{result}", "Results handed over for publishing.", () => status.ResultsPublished);
        Count("meanwhile.results.refused", "{result}", "Results that the broker did not take.", () => ledger.RefusedResults);
        Count("meanwhile.commit.failures", "{attempt}", "Attempts to commit that failed.", () => status.CommitFailures);
    }

    private void RegisterState()
    {
        Show("meanwhile.queue.deliveries", "{delivery}", "Deliveries that wait for the next commit.", () => status.Feed is { Deliveries: { CanCount: true } queue } ? queue.Count : 0);
        Show("meanwhile.series", "{series}", "Series that have readings.", () => status.Results?.SeriesCount ?? 0);
        Show("meanwhile.series.limit", "{series}", "The most series there may be (--max-series).", () => status.Options.MostSeries);
        Count("meanwhile.series.refused", "{message}", "Readings of new series beyond --max-series or --max-series-client: refused, or moved to the quarantine.", () => status.Quota.Refused);
        Show("meanwhile.ready", "", "1 when there is no obstacle: /readyz says so too.", () => status.Obstacle is null ? 1 : 0);
        Show("meanwhile.broker.connected", "", "1 while connected to the broker and subscribed.", () => status.BrokerIsThere ? 1 : 0);
        Show("meanwhile.store.available", "", "1 while the store commits.", () => status.StoreIsThere ? 1 : 0);
        Show("meanwhile.event.listeners", "{listener}", "Readers of the event stream.", () => status.Listeners.Count);
        var version = typeof(Gauges).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        _meter.CreateObservableGauge("meanwhile.build.info", () => new Measurement<long>(1, new KeyValuePair<string, object?>("version", version)), "", "The version that runs.");
    }

    // Of the embedded broker; where it is elsewhere, there is nothing to measure.
    private void RegisterQueues()
    {
        _meter.CreateObservableCounter(
            "meanwhile.broker.messages.dropped", () => Broker is { } broker ? [new Measurement<long>(broker.Statistics.MessagesDropped)] : NoCounts, "{message}",
            "Messages that the embedded broker has dropped, because the queue of their subscriber was full.");
        _meter.CreateObservableGauge("meanwhile.broker.queues", CountQueues, "{queue}", "Queues of subscribers that are at least as full as the level says.");
        _meter.CreateObservableGauge(
            "meanwhile.broker.queue.fill", () => Queues.Take(MostQueues).Select(queue => new Measurement<double>(queue.Ratio, new KeyValuePair<string, object?>("client", queue.ClientId))), "",
            "How full the fullest queues of subscribers are, from half full on: 1 is full.");
    }

    private IEnumerable<Measurement<long>> CountQueues()
    {
        var queues = Queues;
        return Broker is null ? NoCounts : [Of("half", QueueLevel.Half), Of("nine_tenths", QueueLevel.NineTenths), Of("full", QueueLevel.Full)];

        Measurement<long> Of(string name, QueueLevel level) => new(queues.Count(queue => queue.Level >= level), new KeyValuePair<string, object?>("level", name));
    }

    private void RegisterMemory()
    {
        Show("meanwhile.memory.used", "By", "Managed memory in use, including garbage, without the answers that HTTP clients have not read yet. --max-memory limits it.", () => GC.GetTotalMemory(forceFullCollection: false) - status.HeldForReaders);
        _meter.CreateObservableGauge("meanwhile.memory.limit", () => Broker is { } broker ? [new Measurement<long>(broker.MemoryLimit)] : NoCounts, "By", "The limit on managed memory (--max-memory).");
        _meter.CreateObservableGauge("meanwhile.memory.share", () => MemoryUsage.Of(status).Select(share => new Measurement<long>(share.Bytes, new KeyValuePair<string, object?>("of", share.Name))), "By", "Approximate memory of each part of the program.");
    }

    private void RegisterProcess()
    {
        using var process = Process.GetCurrentProcess();
        var started = (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        _meter.CreateObservableCounter("process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "CPU time spent.");
        _meter.CreateObservableGauge("process.start.time", () => started, "s", "When the process started, since 1970.");
        Show("process.resident.memory", "By", "Physical memory in use.", () => Environment.WorkingSet);
        Count("dotnet.gc.allocated", "By", "Managed memory allocated so far.", () => GC.GetTotalAllocatedBytes());
    }

    private void RegisterSeries()
    {
        _meter.CreateObservableGauge(SeriesMean, () => Observe(StatisticKind.Mean), "", "The mean of each window; none for one without readings.");
        _meter.CreateObservableGauge(SeriesReadings, () => Observe(StatisticKind.Count), "{reading}", "How many readings are in each window.");
        Show("meanwhile.series.not_shown", "{series}", "Series without metrics of their own, because of --http-metric-series.", CountNotShown);
    }

    private long CountNotShown() => status.Results is { } windows && windows.Topics() is var topics ? topics.Count - Shown(topics).Count() : 0;

    // The first ones by name, so that it is the same ones each time.
    private IEnumerable<string> Shown(List<string> topics)
    {
        var room = LongestNames / (2 * status.Options.Windows.Count);
        return topics.Order(StringComparer.Ordinal).Take(mostSeries).TakeWhile(topic => (room -= topic.Length) >= 0);
    }

    private List<Measurement<double>> Observe(StatisticKind statistic)
    {
        var writer = new ResultWriter(status.Options.Windows, [Statistic.Of(statistic)]);
        List<Measurement<double>> found = [];
        if (status.Results is not { } windows)
            return found;
        windows.Look(Shown(windows.Topics()), time.GetUtcNow().ToUnixTimeMilliseconds(), (topic, readings, end) =>
        {
            var values = writer.Values(readings, end);
            for (var i = 0; i < values.Length; i++)
            {
                if (values[i] is { } value)
                    found.Add(new Measurement<double>(value, new("topic", topic), new("window", status.Options.Windows[i].Name)));
            }
        });
        return found;
    }

    private void Count(string name, string unit, string description, Func<long> read) => _meter.CreateObservableCounter(name, read, unit, description);

    private void Show(string name, string unit, string description, Func<long> read) => _meter.CreateObservableGauge(name, read, unit, description);
}
