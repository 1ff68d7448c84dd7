using System.Text;
using Meanwhile.Feeds;

namespace Meanwhile.Tests.Feeds;

public class ResultOutboxTests
{
    private readonly ResultOutbox _outbox = new();

    [Fact]
    public void Unsent_results_give_way_to_newer_ones_of_their_topic()
    {
        _outbox.Connected(sessionPresent: true, receiveMaximum: 10);
        Add("a", "1");
        Add("b", "2");
        Add("a", "3");

        Assert.Equal(["a 3", "b 2"], Send().Select(Text));
        Assert.False(_outbox.IsEmpty);
    }

    [Fact]
    public void No_more_are_in_flight_than_the_broker_takes()
    {
        _outbox.Connected(sessionPresent: true, receiveMaximum: 2);
        Add("a", "1");
        Add("b", "2");
        Add("c", "3");
        var sent = Send();

        Assert.Equal(["a 1", "b 2"], sent.Select(Text));
        _outbox.Acknowledged(sent[1].Id);
        Assert.Equal(["c 3"], Send().Select(Text));
    }

    [Fact]
    public void What_is_not_acknowledged_goes_again_with_its_identifier_when_the_session_is_resumed()
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        Add("a", "1");
        Add("b", "2");
        var sent = Send();
        _outbox.Acknowledged(sent[0].Id);
        _outbox.Connected(sessionPresent: true, receiveMaximum: 10);
        var again = Assert.Single(Send());

        Assert.Equal((sent[1].Id, "b 2", true), (again.Id, Text(again), again.Dup));
        _outbox.Acknowledged(again.Id);
        Assert.True(_outbox.IsEmpty);
    }

    [Fact]
    public void A_lost_session_sends_them_as_new_but_not_over_newer_ones()
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        Add("a", "1");
        Add("b", "2");
        Send();
        Add("a", "3");
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        var again = Send();

        Assert.Equal(["a 3", "b 2"], again.Select(Text).Order());
        Assert.All(again, r => Assert.False(r.Dup));
    }

    [Fact]
    public void Of_several_in_flight_the_newest_survives_a_lost_session_and_a_resumed_one_sends_them_in_order()
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 3);
        foreach (var payload in new[] { "1", "2", "3" })
        {
            Add("a", payload);
            Send();
        }
        _outbox.Acknowledged(1);
        Add("a", "4");
        Send();

        _outbox.Connected(sessionPresent: true, receiveMaximum: 3);
        Assert.Equal(["a 2", "a 3", "a 4"], Send().Select(Text));
        _outbox.Connected(sessionPresent: false, receiveMaximum: 3);
        Assert.Equal(["a 4"], Send().Select(Text));
    }

    [Fact]
    public void Identifiers_are_never_zero_and_never_used_twice_at_once()
    {
        _outbox.Connected(sessionPresent: true, receiveMaximum: 65_535);
        Add("kept", "in flight");
        var kept = Send()[0].Id;
        for (var i = 0; i < 70_000; i++)
        {
            Add("a", "1");
            var id = Assert.Single(Send()).Id;
            Assert.NotEqual(0, id);
            Assert.NotEqual(kept, id);
            _outbox.Acknowledged(id);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(65_535)]
    public void No_more_go_again_than_a_smaller_receive_maximum_allows_and_the_rest_follows_in_order(int receiveMaximum)
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        var topics = Enumerable.Range(0, 12).Select(i => $"t{i}").ToList();
        topics.ForEach(topic => Add(topic, "1"));
        Assert.Equal(10, Send().Count);

        _outbox.Connected(sessionPresent: true, receiveMaximum);
        List<string> again = [];
        for (var inFlight = new Queue<ushort>(); again.Count < 12; _outbox.Acknowledged(inFlight.Dequeue()))
        {
            foreach (var (id, topic, _, dup) in Send())
            {
                inFlight.Enqueue(id);
                again.Add(topic);
                Assert.Equal(again.Count <= 10, dup);
            }
            Assert.InRange(inFlight.Count, 1, receiveMaximum);
        }
        Assert.Equal(topics, again);
    }

    [Fact]
    public void What_is_acknowledged_before_it_goes_again_makes_no_room()
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        foreach (var topic in new[] { "a", "b", "c" })
            Add(topic, "1");
        var sent = Send();
        _outbox.Connected(sessionPresent: true, receiveMaximum: 1);
        Assert.Equal(["a 1"], Send().Select(Text));
        _outbox.Acknowledged(sent[1].Id);
        Assert.Empty(Send());
        _outbox.Acknowledged(sent[0].Id);
        Assert.Equal(["c 1"], Send().Select(Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_result_that_ends_every_connection_is_found_among_many_and_given_up(bool sessionPresent)
    {
        List<string> taken = [];
        string? givenUp = null;
        foreach (var topic in new[] { "a", "b", "bad", "c", "d" })
            Add(topic, "1");
        for (var connection = 0; !_outbox.IsEmpty; connection++)
        {
            Assert.InRange(connection, 0, 4);
            _outbox.Connected(sessionPresent && connection > 0, receiveMaximum: 10);
            var isOpen = true;
            for (var sent = Send(); isOpen && sent.Count > 0; sent = Send())
            {
                foreach (var result in sent.TakeWhile(result => isOpen = result.Topic != "bad"))
                {
                    taken.Add(Text(result));
                    _outbox.Acknowledged(result.Id);
                }
            }
            if (!isOpen && _outbox.Ended(out var topic) && topic is not null)
                givenUp = topic;
        }
        Assert.Equal("bad", givenUp);
        Assert.Equal(["a 1", "b 1", "c 1", "d 1"], taken);
    }

    [Fact]
    public void A_result_is_not_given_up_while_others_of_its_topic_are_taken()
    {
        for (var i = 0; i < 10; i++)
        {
            Add("a", $"{i}");
            _outbox.Connected(sessionPresent: true, receiveMaximum: 10);
            Assert.Single(Send());
            Assert.False(_outbox.Ended(out var givenUp));
            Assert.Null(givenUp);
            _outbox.Connected(sessionPresent: true, receiveMaximum: 10);
            _outbox.Acknowledged(Assert.Single(Send()).Id);
        }
        Assert.True(_outbox.IsEmpty);
    }

    private static string Text((ushort Id, string Topic, byte[] Payload, bool Dup) result) => $"{result.Topic} {Encoding.UTF8.GetString(result.Payload)}";

    private void Add(string topic, string payload) => _outbox.Add(topic, Encoding.UTF8.GetBytes(payload));

    private List<(ushort Id, string Topic, byte[] Payload, bool Dup)> Send()
    {
        List<(ushort Id, string Topic, byte[] Payload, bool Dup)> sent = [];
        while (_outbox.TryNext(out var next))
            sent.Add(next);
        return sent;
    }
}
