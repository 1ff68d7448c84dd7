using System.Text;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Windows;

namespace Meanwhile.Pipeline;

/// <summary>What is read out of messages, and what is made of it.</summary>
/// <param name="Filter">The topic or filter of the readings.</param>
/// <param name="StatsTopic">Where results go; when the filter has wildcards, a topic below it for each series.</param>
internal sealed record AggregatorOptions(string Filter, string StatsTopic)
{
    /// <summary>How payloads are read.</summary>
    public ReadingParser Parser { get; init; } = ReadingParser.Default;

    /// <summary>The windows, in the order of the result's members.</summary>
    public IReadOnlyList<WindowSpan> Windows { get; init; } = WindowSpan.Defaults;

    /// <summary>What is computed over each window, in the order of the result's members: the mean, and then what else was asked for.</summary>
    public IReadOnlyList<Statistic> Statistics { get; init; } = [Statistic.Of(StatisticKind.Mean)];

    /// <summary>A reading further than this past the clock is none: it would drag its series' now away from every honest reading.</summary>
    public TimeSpan MaxAhead { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often windows move with the clock; null when only readings move them.</summary>
    public TimeSpan? Tick { get; init; }

    /// <summary>How long messages that are no readings are kept.</summary>
    public TimeSpan QuarantineAge { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The most series there may be; readings of new ones are refused then.</summary>
    public int MostSeries { get; init; } = SeriesQuota.MostIn(new BrokerLimits().Memory);

    /// <summary>The most series that one client of the embedded broker may add.</summary>
    public int MostSeriesOfClient { get; init; } = int.MaxValue;

    /// <summary>How long readings are kept: 35 minutes, or five more than the longest window.</summary>
    public TimeSpan Retention =>
        TimeSpan.FromMinutes(5) + TimeSpan.FromMilliseconds(Math.Max(TimeSpan.FromMinutes(30).TotalMilliseconds, Windows.Max(w => w.Milliseconds)));

    /// <summary>What all topics of our own begin with that are no results; null for none.</summary>
    public string? OwnTopics { get; init; }

    /// <summary>Whether many topics match the filter.</summary>
    public bool HasWildcards => Filter.AsSpan().IndexOfAny('+', '#') >= 0;

    /// <summary>Whether a series' results are published: the file may also hold series of an earlier TOPIC, and the broker send what it had queued for it.</summary>
    public bool Publishes(string series) => Topic.Matches(WithoutShare(Filter), series);

    /// <summary>Whether a message of a topic is for us: not so when it is one of our own results.</summary>
    public bool Takes(string topic) => Publishes(topic) && !IsResultTopic(topic);

    /// <summary>Where the results of a series go.</summary>
    public string ResultTopic(string series) => HasWildcards ? $"{StatsTopic}/{series}" : StatsTopic;

    /// <summary>The longest topic, in bytes, of a series whose results have a topic that is not longer than any may be.</summary>
    public int LongestSeries => HasWildcards ? Topic.LongestName - Encoding.UTF8.GetByteCount(ResultTopic("")) : Topic.LongestName;

    /// <summary>Whether a topic is one that results, or other messages of our own, go to.</summary>
    public bool IsResultTopic(string topic) =>
        topic == StatsTopic || (OwnTopics is not null && topic.StartsWith(OwnTopics, StringComparison.Ordinal)) || (HasWildcards && topic.StartsWith(StatsTopic, StringComparison.Ordinal) && topic[StatsTopic.Length] == '/');

    // $share/GROUP/FILTER [MQTT-4.8.2-1].
    private static ReadOnlySpan<char> WithoutShare(string filter) => Topic.TrySplitShare(filter, out _, out var inner) ? inner : filter;
}
