using System.Text;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Session;

/// <summary>The filters of one SUBSCRIBE against all retained messages.</summary>
public class RetainedSearchTests
{
    private static readonly string[] Levels = ["a", "b", "", "$x", "c", "long level"];

    private readonly RetainedMessages _retained = new();
    private readonly ClientSession _session = new("c", new SessionLimits(1, 1, 1, 1), new Journal(store: null), new DropCounters((_, _, _) => { }), [], []);

    [Fact]
    public void It_finds_what_plain_matching_finds_in_the_order_of_filters_and_of_first_retention()
    {
        var random = Seeds.Random();
        var present = new List<string>();
        for (var round = 0; round < 3000; round++)
        {
            var topic = RandomTopic(random);
            if (random.Next(3) == 0)
            {
                present.Remove(topic);
                Set(topic, "");
            }
            else
            {
                if (!present.Contains(topic))
                    present.Add(topic);
                Set(topic);
            }
            if (round % 5 > 0)
                continue;
            string[] filters = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => RandomFilter(random)).Where(filter => Topic.IsFilter(filter)).Distinct()];
            var search = Search(filters);
            var steps = random.Next(1, 20);
            while (search.Go(steps))
            {
            }
            Assert.Equal(filters.SelectMany(filter => present.Where(name => PlainMatching.IsMatch(filter, name)).Select(name => $"{filter} {name}")), Found(search));
        }
        Assert.Equal(present.Count, _retained.Count);
        Assert.True(Branches(_retained.Topics) <= (2 * present.Count) + 1);
    }

    [Fact]
    public void A_thousand_filters_whose_wildcard_stands_before_what_selects_go_through_the_topics_once()
    {
        const int topics = 20_000;
        for (var i = 0; i < topics; i++)
            Set($"d{i}/y/{i % 100}");
        for (var i = 0; i < 10; i++)
            Set($"a/{i}/{i}/zzz");

        var search = Search([.. Enumerable.Range(0, 1000).Select(i => $"+/x/{i}")]);
        Assert.True(GoAll(search).Steps < 5 * topics);
        Assert.Empty(Found(search));

        search = Search([.. Enumerable.Range(0, 1000).Select(i => $"+/y/{i}")]);
        Assert.True(GoAll(search).Steps < 5 * topics);
        Assert.Equal(topics, Found(search).Count);

        search = Search("a/+/+/zzz", "a/#", "a", "nothing/#", "d7/+/7");
        Assert.True(GoAll(search).Steps < 100);
        Assert.Equal(21, Found(search).Count);
    }

    [Fact]
    public void Names_are_looked_up_from_the_side_that_has_fewer_of_them()
    {
        for (var i = 0; i < 10_000; i++)
            Set($"a/{i}");
        Assert.True(GoAll(Search("a/77", "a/78")).Steps < 10);
        Assert.True(GoAll(Search([.. Enumerable.Range(0, 5000).Select(i => $"b/{i}")])).Steps < 10);
    }

    [Fact]
    public void Deep_topics_take_a_branch_each_and_not_one_a_level()
    {
        for (var i = 0; i < 1000; i++)
            Set(string.Join('/', Enumerable.Repeat($"{i}", 100)));
        Assert.Equal(1001, Branches(_retained.Topics));
        Set(string.Join('/', Enumerable.Repeat("7", 50)));
        Set(string.Join('/', [.. Enumerable.Repeat("7", 40), "8"]));
        Assert.Equal(1004, Branches(_retained.Topics));
    }

    [Fact]
    public void No_more_is_looked_for_than_can_wait_for_the_client()
    {
        for (var i = 0; i < 1000; i++)
            Set($"a/{i}");
        var search = new RetainedSearch(_session, [SubscriptionTo("#"), SubscriptionTo("a/#"), SubscriptionTo("+/#")], _retained.Topics, most: 10);
        Assert.True(GoAll(search).Steps < 100);
        Assert.InRange(Found(search).Count, 10, 13);
    }

    [Fact]
    public void What_the_client_may_not_read_takes_the_place_of_nothing()
    {
        for (var i = 0; i < 1000; i++)
            Set($"a/{i}");
        _session.Permissions = Permissions.All with { MayRead = topic => topic is "a/3" or "a/999" };
        var search = GoAll(new RetainedSearch(_session, [SubscriptionTo("#")], _retained.Topics, most: 10));
        Assert.Equal(["# a/3", "# a/999"], Found(search));
    }

    [Fact]
    public void What_is_retained_during_the_search_comes_once_and_as_it_is_at_last()
    {
        Set("a/1");
        Set("a/2");
        Set("a/3");
        var search = Search("#", "a/+");
        search.Go(1);
        search.Renew(Set("a/2", "newer")!);
        search.Renew(Set("b", "new")!);
        Set("a/3", "");
        while (search.Go(1))
        {
        }
        Assert.True(search.MoveNext());
        Assert.Equal("a/1", search.Current!.Value.Topic.Name);
        search.Renew(Set("a/1", "newest")!);
        search.Renew(Set("a/2", "newest")!);
        Assert.Equal(["# a/1 newest", "# a/2 newest", "# b new", "a/+ a/1 newest", "a/+ a/2 newest"], Found(search, withMessage: true).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Messages_that_have_expired_are_forgotten_next_ones_first_and_not_more_at_once_than_asked_for()
    {
        for (var i = 0; i < 100; i++)
            Set($"a/{i}", expiresAt: TimeSpan.FromSeconds(100 - i));
        Set("a/99"); // Does not expire any more.
        Set("a/98", expiresAt: TimeSpan.FromSeconds(200));
        Set("a/97", "");
        Assert.Empty(_retained.Expire(TimeSpan.FromSeconds(3), most: 10));
        Assert.Equal(["a/96", "a/95"], _retained.Expire(TimeSpan.FromSeconds(10), most: 2));
        Assert.Equal(5, _retained.Expire(TimeSpan.FromSeconds(10), most: 100).Count);
        Assert.Equal(92, _retained.Count);
        Assert.Equal(91, _retained.Expire(TimeSpan.FromSeconds(1000), most: 100).Count);
        Assert.Equal(["# a/99"], Found(GoAll(Search("#"))));
    }

    private static string RandomTopic(Random random) => string.Join('/', Enumerable.Range(0, random.Next(1, 6)).Select(_ => Levels[random.Next(Levels.Length)])) is { Length: > 0 } topic ? topic : "a";

    private static string RandomFilter(Random random)
    {
        var filter = string.Join('/', Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(3) == 0 ? "+" : Levels[random.Next(Levels.Length)]));
        return random.Next(5) switch { 0 => filter + "/#", 1 => "#", _ => filter };
    }

    private RetainedTopic? Set(string topic, string payload = "x", TimeSpan? expiresAt = null) =>
        _retained.Set(new Message { Topic = topic, Payload = Encoding.UTF8.GetBytes(payload), ExpiresAt = expiresAt });

    private Subscription SubscriptionTo(string filter) => new(_session, filter, 0, NoLocal: false, RetainAsPublished: false, Identifiers: null);

    private RetainedSearch Search(params string[] filters) => new(_session, filters.Select(SubscriptionTo), _retained.Topics, most: int.MaxValue);

    private static RetainedSearch GoAll(RetainedSearch search)
    {
        while (search.Go(1000))
        {
        }
        return search;
    }

    private static List<string> Found(RetainedSearch search, bool withMessage = false)
    {
        var found = new List<string>();
        while (search.MoveNext())
        {
            if (search.Current is not var (subscription, topic) || topic.Message is not { } message)
                continue;
            found.Add($"{subscription.Filter} {topic.Name}" + (withMessage ? " " + Encoding.UTF8.GetString(message.Payload.Span) : ""));
        }
        return found;
    }

    private static int Branches(TopicBranch branch) => 1 + branch.Branches.Values.Sum(Branches);
}
