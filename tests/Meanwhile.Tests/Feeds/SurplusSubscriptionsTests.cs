using Meanwhile.Feeds;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Feeds;

/// <summary>A session at the broker that is subscribed to more than was asked for.</summary>
public sealed class SurplusSubscriptionsTests : RawFeedTest
{
    private readonly SurplusSubscriptions _surplus;

    public SurplusSubscriptionsTests() => _surplus = new SurplusSubscriptions("b/+", Log);

    [Theory]
    [InlineData("a", 4)] // a, +, #, a/#, +/#, but # is one of both.
    [InlineData("a/b", 10)]
    [InlineData("a/b/c/d/e/f/g/h", 767)]
    [InlineData("/", 10)]
    [InlineData("$SYS/x", 5)] // What begins with a wildcard does not match it.
    [InlineData("a/b/c/d/e/f/g/h/i/j/k/l", 400)]
    public void Every_filter_that_may_have_let_a_topic_through_is_tried_once(string topic, int atLeast)
    {
        var filters = SurplusSubscriptions.FiltersOf(topic).ToList();
        Assert.All(filters, filter => Assert.True(Topic.IsFilter(filter) && Topic.Matches(filter, topic), filter));
        Assert.Equal(filters.Distinct(), filters);
        Assert.InRange(filters.Count, atLeast, int.MaxValue);
        if (topic.Length < 10)
            Assert.Equal(AllFiltersOf(topic).Where(filter => Topic.Matches(filter, topic)).Order(StringComparer.Ordinal), filters.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_filter_in_force_is_never_ended_and_those_that_were_tried_are_not_tried_again()
    {
        _surplus.Connected(sessionPresent: true);
        _surplus.Saw("b/1/2");
        var first = AskAll();
        Assert.Contains("b/+/2", first);
        Assert.DoesNotContain("b/+", first);
        _surplus.Saw("b/1/2");
        Assert.Empty(AskAll());
        _surplus.Saw("b/1/3");
        Assert.Equal(["b/1/3", "+/1/3", "b/+/3", "+/+/3", "b/1/3/#", "+/1/3/#", "b/+/3/#", "+/+/3/#"], AskAll().Order(Comparer<string>.Create((x, y) => x.Length.CompareTo(y.Length))));

        _surplus.Connected(sessionPresent: false); // Nothing of it is left.
        _surplus.Saw("b/1/3");
        Assert.Contains("#", AskAll());
    }

    [Fact]
    public void Once_the_broker_says_which_one_it_was_no_more_are_tried()
    {
        _surplus.Connected(sessionPresent: true);
        _surplus.Saw("a/b/c");
        var asked = _surplus.Next()!;
        Assert.Null(_surplus.Next());
        _surplus.Saw("x/y");
        _surplus.Answered(asked, [.. asked.Select(filter => filter == "a/#" ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted)]);
        Assert.Null(_surplus.Next());
        Assert.Equal(["an earlier run's subscription to a/# was ended"], Log.Lines);
        _surplus.Saw("x/y");
        Assert.Contains("x/#", AskAll());
    }

    [Theory]
    [InlineData("DATA", "data")]
    [InlineData("DATA", "DATA/1")]
    [InlineData("DATA", "$DATA")]
    [InlineData("$share/g/DATA", "$share/g/DATA")]
    [InlineData("plant/+/t", "plant/t")]
    [InlineData("plant/+/t", "plant/a/b/t")]
    [InlineData("plant/#", "plants/1")]
    [InlineData("#", "$SYS/broker/uptime")]
    [InlineData("+/x", "$SYS/x")]
    [InlineData("$share/g/+/x", "a/y")]
    public async Task What_was_not_asked_for_is_acknowledged_and_no_message_to_store(string filter, string topic)
    {
        Start(filter: filter);
        using var broker = await AcceptAndSubscribeAsync();
        await broker.SendAsync(RawPackets.Publish(1, qos: 1, topic: topic));
        var delivery = Assert.Single(await TakeAsync(1));
        Assert.StartsWith("A2", await broker.ReceiveAsync(), StringComparison.Ordinal); // UNSUBSCRIBE.
        Assert.Equal((DeliveryKind.Surplus, topic), (delivery.Kind, delivery.Topic));
        Assert.Equal(1, Feed.Acknowledge([delivery]));
        Assert.Equal("40020001", await broker.ReceiveAsync());
    }

    [Theory]
    [InlineData("DATA", "DATA")]
    [InlineData("$share/g/DATA", "DATA")]
    [InlineData("$share/g/plant/+", "plant/1")]
    [InlineData("plant/#", "plant")]
    [InlineData("$SYS/#", "$SYS/broker/uptime")]
    [InlineData("+", "a")]
    [InlineData("/+", "/a")]
    public async Task What_was_asked_for_is_a_message(string filter, string topic)
    {
        Start(filter: filter);
        using var broker = await AcceptAndSubscribeAsync();
        await broker.SendAsync(RawPackets.Publish(1, qos: 2, topic: topic));
        var delivery = Assert.Single(await TakeAsync(1));
        Assert.Equal((DeliveryKind.Message, topic), (delivery.Kind, delivery.Topic));
        Feed.Acknowledge([delivery]);
        Assert.Equal("50020001", await broker.ReceiveAsync());
    }

    private static IEnumerable<string> AllFiltersOf(string topic)
    {
        IEnumerable<string> found = [""];
        yield return "#";
        foreach (var level in topic.Split('/'))
        {
            var before = found.ToList();
            found = before.SelectMany(start => new[] { $"{start}{level}/", $"{start}+/" }).ToList();
            foreach (var start in found)
                yield return $"{start}#";
        }
        foreach (var filter in found)
            yield return filter[..^1];
    }

    private List<string> AskAll()
    {
        List<string> asked = [];
        while (_surplus.Next() is { } next)
        {
            Assert.InRange(next.Count, 1, 8);
            asked.AddRange(next);
            _surplus.Answered(next, []); // As 3.1.1 has it.
        }
        return asked;
    }
}
