using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Delivery;

public class ReceiverTests
{
    [Fact]
    [Clause("MQTT-4.6.0-2", "MQTT-4.6.0-3")]
    public void Acknowledgements_go_out_in_order_of_receipt_however_the_work_finishes()
    {
        var receiver = Connected();
        var first = receiver.Publish(7, 1, dup: false);
        var second = receiver.Publish(8, 2, dup: false);
        var third = receiver.Publish(9, 1, dup: false);

        receiver.Complete(third.Ticket);
        receiver.Complete(second.Ticket);
        Assert.Empty(Acknowledgements(receiver));

        receiver.Complete(first.Ticket);
        Assert.Equal(["PubAck 7", "PubRec 8", "PubAck 9"], Acknowledgements(receiver));
        Assert.Equal(0, receiver.Owed);
    }

    [Fact]
    public void Nothing_is_owed_at_qos_0()
    {
        var receiver = Connected();
        var receipt = receiver.Publish(0, 0, dup: false);
        receiver.Complete(receipt.Ticket);

        Assert.True(receipt.IsNew);
        Assert.Equal(0, receiver.Owed);
        Assert.Empty(Acknowledgements(receiver));
    }

    [Fact]
    [Clause("MQTT-4.3.3-10", "MQTT-4.3.3-11", "MQTT-4.3.3-12")]
    public void A_qos_2_identifier_delivers_once_until_it_is_released()
    {
        var receiver = Connected();
        var first = receiver.Publish(5, 2, dup: false);
        var again = receiver.Publish(5, 2, dup: false);
        var release = receiver.Release(5);
        var next = receiver.Publish(5, 2, dup: false);

        Assert.Equal([true, false, true, true], new[] { first, again, release, next }.Select(r => r.IsNew));
        Assert.Equal(
            [IdChangeKind.Received, IdChangeKind.None, IdChangeKind.Released, IdChangeKind.Received],
            new[] { first, again, release, next }.Select(r => r.Change.Kind));
        foreach (var receipt in new[] { first, again, release, next })
            receiver.Complete(receipt.Ticket);
        Assert.Equal(["PubRec 5", "PubRec 5", "PubComp 5", "PubRec 5"], Acknowledgements(receiver));
    }

    [Fact]
    public void Qos_2_identifiers_from_the_store_are_known_after_a_restart()
    {
        var receiver = new Receiver([5]);
        Assert.Equal(IdChangeKind.None, receiver.Connected(sessionPresent: true).Kind);

        Assert.False(receiver.Publish(5, 2, dup: false).IsNew);
        Assert.True(receiver.Publish(6, 2, dup: false).IsNew);
    }

    [Fact]
    [Clause("MQTT-3.2.2-5")]
    public void A_lost_session_forgets_every_identifier_and_says_so()
    {
        var receiver = new Receiver([5]);
        receiver.Connected(sessionPresent: true);
        receiver.Publish(6, 1, dup: false);

        Assert.Equal(IdChangeKind.AllForgotten, receiver.Connected(sessionPresent: false).Kind);
        Assert.True(receiver.Publish(5, 2, dup: true).IsNew);
        Assert.True(receiver.Publish(6, 1, dup: true).IsNew);
    }

    [Fact]
    public void An_unknown_release_is_still_answered()
    {
        var receiver = Connected();
        receiver.Complete(receiver.Release(3).Ticket);

        Assert.True(receiver.TryNextAcknowledgement(out var acknowledgement));
        Assert.Equal(new Acknowledgement(AckKind.PubComp, 3, Found: false), acknowledgement);
    }

    [Fact]
    public void A_ticket_of_an_earlier_connection_is_void()
    {
        var receiver = Connected();
        var old = receiver.Publish(1, 1, dup: false);
        receiver.Connected(sessionPresent: true);
        receiver.Complete(old.Ticket);

        Assert.Empty(Acknowledgements(receiver));
    }

    [Fact]
    [Clause("MQTT-4.3.2-5")]
    public void What_was_delivered_but_not_acknowledged_is_no_news_on_the_next_connection()
    {
        var receiver = Connected();
        receiver.Publish(1, 1, dup: false);
        receiver.Complete(receiver.Publish(2, 1, dup: false).Ticket);
        receiver.Publish(3, 2, dup: false);
        receiver.Connected(sessionPresent: true);

        var again = receiver.Publish(1, 1, dup: true);
        Assert.False(again.IsNew);
        Assert.False(receiver.Publish(2, 1, dup: true).IsNew);
        Assert.False(receiver.Publish(3, 2, dup: true).IsNew);
        receiver.Complete(again.Ticket);
        Assert.Equal(["PubAck 1"], Acknowledgements(receiver));
        Assert.True(receiver.Publish(1, 1, dup: true).IsNew);
    }

    [Theory]
    [InlineData(1, "PubAck 1")]
    [InlineData(2, "PubRec 1")]
    [Clause("MQTT-4.3.3-9")]
    public void A_message_that_is_not_taken_is_answered_in_its_turn_and_is_news_when_it_comes_again(int qos, string answer)
    {
        var receiver = Connected();
        var before = receiver.Publish(7, 1, dup: false);
        var refused = receiver.Publish(1, qos, dup: false);
        receiver.Refuse(refused.Ticket, 1, qos);
        Assert.Empty(Acknowledgements(receiver));
        receiver.Complete(before.Ticket);
        Assert.Equal(["PubAck 7", answer + " refused"], Acknowledgements(receiver));

        var again = receiver.Publish(1, qos, dup: true);
        Assert.True(again.IsNew);
        receiver.Complete(again.Ticket);
        Assert.Equal([answer], Acknowledgements(receiver));
    }

    [Theory]
    [InlineData(1, "PubAck 1", true)]
    [InlineData(1, "PubAck 1", false)]
    [InlineData(2, "PubRec 1", true)]
    [InlineData(2, "PubRec 1", false)]
    public void What_came_again_before_its_message_was_refused_is_not_acknowledged_either(int qos, string answer, bool onNextConnection)
    {
        var receiver = Connected();
        var first = receiver.Publish(1, qos, dup: false);
        if (onNextConnection)
            receiver.Connected(sessionPresent: true);
        var again = receiver.Publish(1, qos, dup: true);
        Assert.False(again.IsNew);
        receiver.Refuse(first.Ticket, 1, qos);
        receiver.Complete(again.Ticket);
        var answers = Acknowledgements(receiver);
        Assert.NotEmpty(answers);
        Assert.All(answers, sent => Assert.Equal(answer + " refused", sent));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public void A_message_that_was_refused_when_its_connection_had_gone_is_news_on_the_next(int qos, bool beforeTheNext)
    {
        var receiver = Connected();
        var first = receiver.Publish(1, qos, dup: false);
        if (beforeTheNext)
            receiver.Refuse(first.Ticket, 1, qos);
        receiver.Connected(sessionPresent: true);
        if (!beforeTheNext)
            receiver.Refuse(first.Ticket, 1, qos);
        Assert.True(receiver.Publish(1, qos, dup: true).IsNew);
        Assert.Empty(Acknowledgements(receiver));
    }

    [Fact]
    public void A_refused_message_at_qos_2_makes_room_for_another_one()
    {
        var receiver = new Receiver([]);
        receiver.Connected(sessionPresent: false, receiveMaximum: 1);
        receiver.Refuse(receiver.Publish(1, 2, dup: false).Ticket, 1, 2);
        Assert.True(receiver.IsFull);
        Assert.Equal(["PubRec 1 refused"], Acknowledgements(receiver));
        Assert.False(receiver.IsFull);
    }

    [Fact]
    [Clause("MQTT-4.3.2-5")]
    public void A_message_that_was_acknowledged_is_news_again_under_the_same_qos_1_identifier()
    {
        var receiver = Connected();
        receiver.Complete(receiver.Publish(1, 1, dup: false).Ticket);
        Assert.Equal(["PubAck 1"], Acknowledgements(receiver));
        receiver.Connected(sessionPresent: true);

        Assert.True(receiver.Publish(1, 1, dup: false).IsNew);
    }

    [Fact]
    public void Without_dup_it_is_another_message_under_the_same_identifier()
    {
        var receiver = Connected();
        receiver.Publish(1, 1, dup: false);
        receiver.Connected(sessionPresent: true);

        var other = receiver.Publish(1, 1, dup: false);
        Assert.True(other.IsNew);
        receiver.Complete(other.Ticket);
        Assert.Equal(["PubAck 1"], Acknowledgements(receiver));
        Assert.True(receiver.Publish(1, 1, dup: true).IsNew);
    }

    [Fact]
    public void Sent_again_before_it_was_answered_it_is_no_news_and_is_answered_once()
    {
        var receiver = Connected();
        var first = receiver.Publish(1, 1, dup: false);
        Assert.Equal(default, receiver.Publish(1, 1, dup: true));
        var second = receiver.Publish(2, 1, dup: false);
        receiver.Complete(second.Ticket);
        receiver.Complete(default);
        receiver.Complete(first.Ticket);

        Assert.Equal(["PubAck 1", "PubAck 2"], Acknowledgements(receiver));
    }

    [Fact]
    public void One_identifier_for_two_messages_at_once_keeps_order_and_count()
    {
        var receiver = Connected(receiveMaximum: 3);
        Receipt[] receipts = [receiver.Publish(1, 1, dup: false), receiver.Publish(1, 1, dup: false), receiver.Publish(2, 1, dup: false)];
        Assert.All(receipts, r => Assert.True(r.IsNew));
        Assert.True(receiver.IsFull);
        foreach (var receipt in receipts.Reverse())
            Assert.True(receiver.Complete(receipt.Ticket));

        Assert.Equal(["PubAck 1", "PubAck 1", "PubAck 2"], Acknowledgements(receiver));
        Assert.False(receiver.IsFull);
        Assert.Equal(0, receiver.Owed);
    }

    [Fact]
    public void It_is_full_when_as_many_are_unanswered_as_were_agreed_on()
    {
        var receiver = Connected(receiveMaximum: 2);
        receiver.Publish(0, 0, dup: false);
        receiver.Complete(receiver.Publish(1, 1, dup: false).Ticket);
        Assert.False(receiver.IsFull);
        receiver.Complete(receiver.Publish(2, 2, dup: false).Ticket);
        Assert.True(receiver.IsFull);

        Assert.Equal(["PubAck 1", "PubRec 2"], Acknowledgements(receiver));
        Assert.False(receiver.IsFull);
        receiver.Publish(3, 1, dup: false);
        Assert.True(receiver.IsFull); // At QoS 2 it is PUBCOMP that counts.

        receiver.Connected(sessionPresent: true, receiveMaximum: 2);
        Assert.False(receiver.IsFull);
        receiver.Complete(receiver.Publish(2, 2, dup: true).Ticket);
        receiver.Complete(receiver.Release(2).Ticket);
        receiver.Publish(3, 1, dup: true);
        Assert.True(receiver.IsFull);
        Assert.Equal(["PubRec 2", "PubComp 2"], Acknowledgements(receiver));
        Assert.False(receiver.IsFull);
    }

    [Fact]
    public void What_the_last_connection_held_at_qos_2_leaves_room_on_the_next()
    {
        var receiver = Connected(receiveMaximum: 1);
        receiver.Publish(1, 2, dup: false);
        Assert.True(receiver.IsFull);
        receiver.Connected(sessionPresent: true, receiveMaximum: 1);
        Assert.False(receiver.IsFull);
    }

    [Fact]
    public void What_is_withdrawn_has_never_come()
    {
        var receiver = Connected();
        receiver.Withdraw(receiver.Publish(1, 2, dup: false).Ticket);
        Assert.True(receiver.Publish(1, 2, dup: true).IsNew);
        receiver.Withdraw(receiver.Release(1).Ticket);
        Assert.False(receiver.Publish(1, 2, dup: true).IsNew);
        receiver.Withdraw(receiver.Release(2).Ticket); // Not known.
        Assert.True(receiver.Publish(2, 2, dup: false).IsNew);
    }

    [Fact]
    public void What_an_earlier_connection_has_received_is_not_withdrawn()
    {
        var receiver = Connected();
        var old = receiver.Publish(1, 2, dup: false);
        receiver.Connected(sessionPresent: true);
        receiver.Publish(1, 2, dup: true);
        receiver.Withdraw(old.Ticket);
        Assert.False(receiver.Publish(1, 2, dup: true).IsNew);
    }

    private static Receiver Connected(int receiveMaximum = 65_535)
    {
        var receiver = new Receiver([]);
        receiver.Connected(sessionPresent: false, receiveMaximum);
        return receiver;
    }

    private static List<string> Acknowledgements(Receiver receiver)
    {
        var found = new List<string>();
        while (receiver.TryNextAcknowledgement(out var acknowledgement))
            found.Add($"{acknowledgement.Kind} {acknowledgement.PacketId}{(acknowledgement.IsRefused ? " refused" : "")}{(acknowledgement.Found ? "" : " not found")}");
        return found;
    }
}
