using Meanwhile.Feeds;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Tests.Feeds;

/// <summary>Messages that several subscriptions of one session bring.</summary>
public sealed class SubscriptionMarkTests
{
    private readonly SubscriptionMark _mark = new("plant/#");

    [Fact]
    public void Without_an_earlier_subscription_nothing_is_marked_and_everything_is_taken()
    {
        _mark.Connected(sessionPresent: false, isAskedFor: false);
        Assert.False(IsCopy("plant/a", isMarked: false));
        Assert.False(IsCopy("plant/a", isMarked: true));
        Assert.False(IsCopy("plant/a", isMarked: false));
    }

    [Fact]
    public void What_has_waited_is_taken_and_what_comes_without_the_mark_after_ours_is_a_copy()
    {
        _mark.Connected(sessionPresent: true, isAskedFor: true);
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
        _mark.Connected(sessionPresent: true, isAskedFor: true);
        IsCopy("plant/a", isMarked: true);
        _mark.Connected(sessionPresent: true, isAskedFor: false);
        Assert.True(IsCopy("plant/a", isMarked: false));
        _mark.Connected(sessionPresent: false, isAskedFor: false); // Subscribed anew, without a mark.
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

    private bool IsCopy(string topic, bool isMarked, bool isRetained = false, int qos = 1) => _mark.IsCopy(new MqttPublishPacket
    {
        Topic = topic,
        Retain = isRetained,
        QualityOfServiceLevel = (MqttQualityOfServiceLevel)qos,
        SubscriptionIdentifiers = isMarked ? [7, _mark.Identifier] : [7],
    });
}
