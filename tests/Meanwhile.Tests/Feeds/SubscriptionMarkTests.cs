using Meanwhile.Feeds;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Tests.Feeds;

/// <summary>Messages that several subscriptions of one session bring.</summary>
public sealed class SubscriptionMarkTests
{
    private readonly SubscriptionMark _mark = new("plant/#");

    [Fact]
    public void Without_an_earlier_subscription_nothing_is_marked_and_everything_is_taken()
    {
        Assert.False(IsCopy("plant/a", isMarked: false));
        Assert.False(IsCopy("plant/a", isMarked: true));
        Assert.False(IsCopy("plant/a", isMarked: false));
    }

    [Fact]
    public void What_has_waited_is_taken_and_what_comes_without_the_mark_after_ours_is_a_copy()
    {
        _mark.AskedFor();
        Assert.False(IsCopy("plant/a", isMarked: false));
        Assert.False(IsCopy("plant/a", isMarked: true, isRetained: true)); // It says nothing of what has waited.
        Assert.False(IsCopy("plant/a", isMarked: false));
        Assert.False(IsCopy("plant/a", isMarked: true));
        Assert.True(IsCopy("plant/a", isMarked: false));
        Assert.False(IsCopy("plant/b", isMarked: false)); // Order is that of a topic and a QoS.
        Assert.False(IsCopy("plant/a", isMarked: false, qos: 0));
    }

    [Fact]
    public void The_mark_holds_for_as_long_as_the_session()
    {
        _mark.AskedFor();
        IsCopy("plant/a", isMarked: true);
        Assert.True(IsCopy("plant/a", isMarked: false));
        _mark.Forget(); // Subscribed anew, without a mark.
        Assert.False(IsCopy("plant/a", isMarked: false));
    }

    [Fact]
    public void Each_filter_has_a_mark_of_its_own_that_mqtt_allows()
    {
        var marks = Enumerable.Range(0, 1000).Select(i => new SubscriptionMark($"plant/{i}").Identifier).ToList();
        Assert.All(marks, mark => Assert.InRange(mark, 1u, 268_435_455u));
        Assert.Equal(marks.Count, marks.Distinct().Count());
        Assert.Equal(_mark.Identifier, new SubscriptionMark("plant/#").Identifier);
    }

    private bool IsCopy(string topic, bool isMarked, bool isRetained = false, int qos = 1)
    {
        List<Property> identifiers = [new Property(PropertyId.SubscriptionIdentifier, 7)];
        if (isMarked)
            identifiers.Add(new Property(PropertyId.SubscriptionIdentifier, _mark.Identifier));
        return _mark.IsCopy(new Message { Topic = topic, Retain = isRetained, Qos = qos, Properties = new Properties([.. identifiers]) });
    }
}
