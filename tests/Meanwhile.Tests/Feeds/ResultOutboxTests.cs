using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Tests.Feeds;

/// <summary>What goes to the client and when; how it is sent, and sent again, is the client's (<see cref="ResultRefusalTests"/>).</summary>
public class ResultOutboxTests
{
    private readonly ResultOutbox _outbox = new();
    private readonly Dictionary<SentResult, TaskCompletionSource<ReasonCode>> _answers = [];

    [Fact]
    public void Unsent_results_give_way_to_newer_ones_of_their_topic()
    {
        Add("a", "0");
        Assert.Empty(Send()); // Nobody is there.
        Add("b", "2");
        Add("a", "3");
        _outbox.Connected(sessionPresent: true, receiveMaximum: 10);

        Assert.Equal(["a 3", "b 2"], Send().Select(Text));
        Assert.False(_outbox.IsEmpty);
    }

    [Fact]
    public void No_more_go_to_the_client_than_the_broker_takes()
    {
        _outbox.Connected(sessionPresent: true, receiveMaximum: 2);
        Add("a", "1");
        Add("b", "2");
        Add("c", "3");
        var sent = Send();

        Assert.Equal(["a 1", "b 2"], sent.Select(Text));
        Answer(sent[1]);
        Assert.Equal(["c 3"], Send().Select(Text));
    }

    [Fact]
    public void What_is_not_acknowledged_stays_with_the_client_when_the_session_is_resumed()
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        Add("a", "1");
        Add("b", "2");
        var sent = Send();
        Answer(sent[0]);
        _outbox.Connected(sessionPresent: true, receiveMaximum: 10);

        Assert.Empty(Send());
        Assert.False(sent[1].GivenUp.IsCancellationRequested);
        Assert.False(_outbox.IsEmpty);
        Answer(sent[1]);
        Assert.True(_outbox.IsEmpty);
    }

    [Fact]
    public void When_a_session_is_lost_what_there_is_a_newer_one_of_is_given_up()
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        Add("a", "1");
        Add("b", "2");
        Add("c", "3");
        var sent = Send();
        Add("a", "4");
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);

        Assert.Equal([true, false, false], sent.Select(result => result.GivenUp.IsCancellationRequested));
        Assert.Equal(["a 4"], Send().Select(Text));
    }

    [Fact]
    public void Of_several_of_a_topic_in_flight_the_newest_survives_a_lost_session()
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 4);
        List<SentResult> sent = [];
        foreach (var payload in new[] { "1", "2", "3", "4" })
        {
            Add("a", payload);
            sent.AddRange(Send());
        }
        Answer(sent[0]);
        _outbox.Connected(sessionPresent: false, receiveMaximum: 3);

        Assert.Equal([false, true, true, false], sent.Select(result => result.GivenUp.IsCancellationRequested));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(65_535)]
    public void After_a_reconnect_new_ones_wait_for_room_within_a_smaller_receive_maximum(int receiveMaximum)
    {
        _outbox.Connected(sessionPresent: false, receiveMaximum: 10);
        for (var i = 0; i < 12; i++)
            Add($"t{i}", "1");
        var sent = Send();
        Assert.Equal(10, sent.Count);

        _outbox.Connected(sessionPresent: true, receiveMaximum);
        for (var i = 0; i < 10; i++)
        {
            sent.AddRange(Send());
            Assert.True(sent.Count == 10 || sent.Count - i <= receiveMaximum, $"{sent.Count - i} are in flight");
            Answer(sent[i]);
        }
        sent.AddRange(Send());
        Assert.Equal(Math.Min(12, 10 + receiveMaximum), sent.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_result_that_ends_every_connection_is_found_among_many_and_given_up(bool sessionPresent)
    {
        List<string> taken = [];
        List<SentResult> inFlight = [];
        string? givenUp = null;
        foreach (var topic in new[] { "a", "b", "bad", "c", "d" })
            Add(topic, "1");
        for (var connection = 0; !_outbox.IsEmpty; connection++)
        {
            Assert.InRange(connection, 0, 4);
            _outbox.Connected(sessionPresent && connection > 0, receiveMaximum: 10);
            var isOpen = true;
            inFlight.AddRange(Send());
            while (isOpen && inFlight.Count > 0)
            {
                foreach (var result in inFlight.Take(_outbox.Window).TakeWhile(result => isOpen = result.Topic != "bad").ToList())
                {
                    taken.Add(Text(result));
                    inFlight.Remove(result);
                    Answer(result);
                }
                inFlight.AddRange(Send());
            }
            if (!isOpen && _outbox.Ended(out var topic) && topic is not null)
                givenUp = topic;
            inFlight.RemoveAll(result => result.GivenUp.IsCancellationRequested);
        }
        Assert.Equal("bad", givenUp);
        Assert.Equal(["a 1", "b 1", "c 1", "d 1"], taken);
        Assert.InRange(_outbox.Window, 2, int.MaxValue);
    }

    [Fact]
    public void A_result_is_not_given_up_while_others_of_its_topic_are_taken()
    {
        for (var i = 0; i < 10; i++)
        {
            Add("a", $"{i}");
            _outbox.Connected(sessionPresent: true, receiveMaximum: 10);
            var sent = Assert.Single(Send());
            Assert.False(_outbox.Ended(out var givenUp));
            Assert.Null(givenUp);
            _outbox.Connected(sessionPresent: true, receiveMaximum: 10);
            Answer(sent);
        }
        Assert.True(_outbox.IsEmpty);
    }

    [Fact]
    public void What_is_answered_when_the_connection_ends_is_not_suspected()
    {
        foreach (var topic in new[] { "a", "b" })
            Add(topic, "1");
        _outbox.Connected(sessionPresent: true, receiveMaximum: 10);
        var sent = Send();
        _answers[sent[0]].SetResult(ReasonCode.Success); // Nobody has seen it yet.
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal(i > 1, _outbox.Ended(out var givenUp));
            Assert.Equal(i == 3 ? "b" : null, givenUp);
        }
    }

    private static string Text(SentResult result) => $"{result.Topic} {Encoding.UTF8.GetString(result.Payload)}";

    private void Add(string topic, string payload) => _outbox.Add(topic, Encoding.UTF8.GetBytes(payload));

    private void Answer(SentResult result)
    {
        _answers[result].SetResult(ReasonCode.Success);
        _outbox.Answered(result);
    }

    private List<SentResult> Send()
    {
        List<SentResult> sent = [];
        while (_outbox.TryNext(out var next))
        {
            _answers[next] = new TaskCompletionSource<ReasonCode>();
            next.Answer = _answers[next].Task;
            sent.Add(next);
        }
        return sent;
    }
}
