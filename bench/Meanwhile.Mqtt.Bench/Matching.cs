using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Bench;

/// <summary>One topic against a million filters.</summary>
internal static class Matching
{
    private const int Filters = 1_000_000;
    private const int DevicesASite = 1000;
    private const int Topics = 1_000_000;

    /// <summary>Prints how long it took.</summary>
    public static void Run()
    {
        using var journal = new Journal(null);
        var session = new ClientSession("subscriber", new SessionLimits(1, 0, 1, 1), journal, new DropCounters((_, _, _) => { }), [], []);
        var tree = new SubscriptionTree();
        for (var i = 0; i < Filters; i++)
            tree.Set(new Subscription(session, FilterOf(i), 0, NoLocal: false, RetainAsPublished: false, null));
        var random = new Random(1);
        string[] topics = [.. Enumerable.Range(0, Topics).Select(_ => TopicOf(random.Next(Filters)))];
        var (matches, times, found) = (new List<Subscription>(), new double[Topics], 0L);
        for (var round = 0; round < 2; round++) // Compiled in the first one.
        {
            for (var i = 0; i < Topics; i++)
            {
                matches.Clear();
                var start = TimeProvider.System.GetTimestamp();
                tree.Match(topics[i], matches);
                times[i] = TimeProvider.System.GetElapsedTime(start).TotalNanoseconds;
                found += matches.Count;
            }
        }
        Array.Sort(times);
        Console.WriteLine($"{Filters:N0} filters, {Topics:N0} topics in random order: median {times[Topics / 2]:N0} ns, p99 {times[Topics * 99 / 100]:N0} ns, {found / 2.0 / Topics:F2} matches each");
    }

    private static string TopicOf(int i) => $"site/{i / DevicesASite}/device/{i % DevicesASite}/temperature";

    // Of ten, one has a wildcard for a level, and one for all that follow.
    private static string FilterOf(int i) => (i % 10) switch
    {
        0 => $"site/{i / DevicesASite}/device/{i % DevicesASite}/+",
        1 => $"site/{i / DevicesASite}/device/{i % DevicesASite}/#",
        _ => TopicOf(i),
    };
}
