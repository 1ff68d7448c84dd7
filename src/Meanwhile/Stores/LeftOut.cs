using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Stores;

/// <summary>
/// Readings that are in a store, and that nobody is given, because their series has no name that a topic could have: an older version or another program has
/// written it. They stay where they are until they expire.
/// </summary>
/// <param name="Readings">How many they are.</param>
/// <param name="Reason">Which series it is, and what is wrong with its name.</param>
internal sealed record LeftOut(long Readings, string Reason)
{
    /// <summary>The series of rows that name none.</summary>
    /// <param name="filter">The topic or filter that the store is read for.</param>
    /// <returns>Null when the filter has many topics: nobody knows which of them it was.</returns>
    public static string? UnnamedSeriesOf(string filter)
    {
        var topic = Topic.TrySplitShare(filter, out _, out var inner) ? inner.ToString() : filter;
        return Topic.FaultOf(topic) is null ? topic : null;
    }

    /// <summary>Readings of series whose names are none.</summary>
    public static LeftOut OfFaults(long readings, IReadOnlyCollection<(long Series, string Fault)> faults) => new(
        readings, $"their series have no usable names ({faults.Count} such series; the first is number {faults.First().Series}: {faults.First().Fault})");

    /// <summary>Readings that name no series, read for a filter that does not say which one it is.</summary>
    public static LeftOut OfUnnamed(long readings) => new(readings, "they name no topic, and --topic (TOPIC) has wildcards: name the topic that they came on");
}
