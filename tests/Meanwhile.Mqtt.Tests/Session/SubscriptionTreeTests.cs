using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Session;

public class SubscriptionTreeTests
{
    private static readonly string[] Levels = ["a", "b", "", "$x", "c"];

    [Fact]
    [Clause("MQTT-3.3.2-3", "MQTT-4.7.2-1")]
    public void The_tree_agrees_with_plain_matching_over_random_filters_and_topics()
    {
        var random = Seeds.Random();
        var tree = new SubscriptionTree();
        var session = new ClientSession("c", new SessionLimits(1, 1, 1, 1), new Journal(store: null), new DropCounters((_, _, _) => { }), [], []);
        var present = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 2000; round++)
        {
            var filter = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(4) == 0 ? "+" : Levels[random.Next(Levels.Length)]));
            if (random.Next(4) == 0)
                filter += "/#";
            if (!Topic.IsFilter(filter))
                continue;
            if (random.Next(3) == 0 && present.Remove(filter))
                tree.Remove(session, filter);
            else
                Assert.Equal(present.Add(filter), tree.Set(new Subscription(session, filter, 0, NoLocal: false, RetainAsPublished: false, Identifiers: null)));

            var topic = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => Levels[random.Next(Levels.Length)]));
            var matches = new List<Subscription>();
            tree.Match(topic, matches);
            Assert.Equal(present.Where(f => PlainMatching.IsMatch(f, topic)).Order(StringComparer.Ordinal), matches.Select(m => m.Filter).Order(StringComparer.Ordinal));
            Assert.All(present, f => Assert.Equal(PlainMatching.IsMatch(f, topic), Topic.Matches(f, topic)));
        }
    }
}
