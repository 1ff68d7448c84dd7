using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Delivery;

public class SenderTests
{
    [Fact]
    public void Qos_2_arrives_exactly_once_and_qos_1_at_least_once_in_order_through_connections_that_break_anywhere()
    {
        var random = Seeds.Random();
        var pipe = new BreakingPipe(random);
        var sent = new List<Message>();
        for (var number = 0; number < 100_000; number++)
        {
            sent.Add(new Message { Topic = $"{number}", Qos = random.Next(1, 3) });
            pipe.Sender.Add(new Outgoing(sent[^1], sent[^1].Qos, Retain: false));
            for (var steps = random.Next(4); steps > 0; steps--)
                pipe.Step();
        }
        while (pipe.Sender.Count > 0)
            pipe.Step();

        Assert.Equal(0, pipe.Sender.Bytes);
        Assert.Equal(sent.Where(m => m.Qos == 2).Select(m => m.Topic), pipe.Delivered.Where(m => m.Qos == 2).Select(m => m.Topic));
        Assert.Equal(sent.Where(m => m.Qos == 1).Select(m => m.Topic), pipe.Delivered.Where(m => m.Qos == 1).Select(m => m.Topic).Distinct());
        Assert.True(pipe.Breaks > 1000);
    }

    [Fact]
    [Clause("MQTT-3.3.2-5")]
    public void A_message_that_has_expired_is_not_sent()
    {
        var sender = new Sender();
        sender.Connected(10);
        sender.Add(new Outgoing(new Message { Topic = "old", ExpiresAt = TimeSpan.FromSeconds(1) }, 1, Retain: false));
        sender.Add(new Outgoing(new Message { Topic = "new", ExpiresAt = TimeSpan.FromSeconds(3) }, 1, Retain: false));
        Assert.True(sender.TryNext(TimeSpan.FromSeconds(2), out var next));
        Assert.Equal("new", next.Publish.Message.Topic);
        Assert.Equal(1, sender.Count);
    }

    [Fact]
    [Clause("MQTT-4.4.0-2")]
    public void A_client_that_refuses_a_qos_2_message_is_not_sent_it_again()
    {
        var sender = new Sender();
        sender.Connected(1);
        sender.Add(new Outgoing(new Message { Topic = "a" }, 2, Retain: false));
        sender.TryNext(TimeSpan.Zero, out var next);
        sender.Received(next.PacketId, ReasonCode.QuotaExceeded);
        Assert.False(sender.TryNext(TimeSpan.Zero, out _));
        Assert.Equal(0, sender.Count);
    }

    [Fact]
    public void An_unknown_pubrec_is_answered_as_not_found()
    {
        var sender = new Sender();
        sender.Connected(1);
        sender.Received(7, ReasonCode.Success);
        Assert.True(sender.TryNext(TimeSpan.Zero, out var next));
        Assert.Equal(new Transmission(7, Dup: false, Found: false), next);
    }

    [Fact]
    public void A_pubrec_that_refuses_a_message_that_is_not_known_needs_no_pubrel()
    {
        var sender = new Sender();
        sender.Connected(1);
        sender.Received(5, ReasonCode.UnspecifiedError);
        Assert.False(sender.TryNext(TimeSpan.Zero, out _));
        Assert.Equal(0, sender.OwedReleases);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Clause("MQTT-2.2.1-3", "MQTT-2.2.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1")]
    public void After_65535_messages_identifiers_come_again_but_never_one_in_use(int qos)
    {
        var sender = new Sender();
        sender.Connected(2);
        sender.Add(new Outgoing(new Message { Topic = "stays" }, qos, Retain: false));
        sender.TryNext(TimeSpan.Zero, out var stays);
        for (var i = 0; i < 70_000; i++)
        {
            sender.Add(new Outgoing(new Message { Topic = "goes" }, qos, Retain: false));
            Assert.True(sender.TryNext(TimeSpan.Zero, out var next));
            Assert.NotEqual(0, next.PacketId);
            Assert.NotEqual(stays.PacketId, next.PacketId);
            if (qos == 1)
            {
                sender.Acknowledged(next.PacketId);
                continue;
            }
            sender.Received(next.PacketId, ReasonCode.Success);
            Assert.True(sender.TryNext(TimeSpan.Zero, out _)); // PUBREL.
            sender.Completed(next.PacketId);
        }
    }

    // A sender and a receiver with packets under way in both directions, which are lost together when the connection breaks.
    private sealed class BreakingPipe
    {
        private readonly Random _random;
        private readonly Receiver _receiver = new([]);
        private readonly Queue<Transmission> _there = new();
        private readonly Queue<Acknowledgement> _back = new();
        private readonly List<Ticket> _tickets = [];

        public BreakingPipe(Random random)
        {
            _random = random;
            _receiver.Connected(sessionPresent: false);
            Sender.Connected(random.Next(1, 50));
        }

        public Sender Sender { get; } = new();

        public List<Message> Delivered { get; } = [];

        public int Breaks { get; private set; }

        public void Step()
        {
            switch (_random.Next(100))
            {
                case 0:
                    Break();
                    break;
                case < 40:
                    if (Sender.TryNext(TimeSpan.Zero, out var next))
                        _there.Enqueue(next);
                    break;
                case < 70:
                    if (_there.TryDequeue(out var arrived))
                        Arrive(arrived);
                    break;
                default:
                    Answer();
                    break;
            }
        }

        private void Break()
        {
            Breaks++;
            _there.Clear();
            _back.Clear();
            _tickets.Clear();
            _receiver.Connected(sessionPresent: true);
            Sender.Connected(_random.Next(1, 50));
        }

        private void Arrive(Transmission arrived)
        {
            var message = arrived.Publish.Message;
            var receipt = message is null ? _receiver.Release(arrived.PacketId) : _receiver.Publish(arrived.PacketId, arrived.Publish.Qos, arrived.Dup);
            if (message is not null && receipt.IsNew)
                Delivered.Add(message);
            _tickets.Add(receipt.Ticket);
        }

        // Work is finished in any order; answers go back in the order of receipt.
        private void Answer()
        {
            if (_tickets.Count > 0)
            {
                var index = _random.Next(_tickets.Count);
                _receiver.Complete(_tickets[index]);
                _tickets.RemoveAt(index);
            }
            while (_receiver.TryNextAcknowledgement(out var acknowledgement))
                _back.Enqueue(acknowledgement);
            if (!_back.TryDequeue(out var answer))
                return;
            if (answer.Kind == AckKind.PubAck)
                Sender.Acknowledged(answer.PacketId);
            else if (answer.Kind == AckKind.PubRec)
                Sender.Received(answer.PacketId, ReasonCode.Success);
            else
                Sender.Completed(answer.PacketId);
        }
    }
}
