using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Delivery;

/// <summary>The sending half beside a plain model of it, in which everything is a list: random operations, and both say the same.</summary>
public class SenderModelTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whatever_happens_it_sends_what_a_plain_model_sends(bool isKept)
    {
        var random = Seeds.Random();
        for (var run = 0; run < 200; run++)
        {
            var log = isKept ? new ManualSenderLog() : null;
            var pair = new Pair(new Sender(log, memory: null), new PlainSender(log));
            pair.Connect(random.Next(1, 5), sessionPresent: true);
            for (var step = 0; step < 500; step++)
                pair.Step(random, log);
            log?.Commit();
            Assert.Equal(pair.Model.Count, pair.Sender.Count);
        }
    }

    private sealed class Pair(Sender sender, PlainSender model)
    {
        private readonly List<ushort> _reserved = [];
        private TimeSpan _now = TimeSpan.FromSeconds(1);
        private int _messages;

        public Sender Sender { get; } = sender;

        public PlainSender Model { get; } = model;

        public void Connect(int receiveMaximum, bool sessionPresent)
        {
            foreach (var id in _reserved) // Whoever has asked for something asks again.
            {
                Sender.Free(id);
                Model.Used.Remove(id);
            }
            _reserved.Clear();
            Assert.Equal(Model.Disconnect(), Sender.Disconnected());
            Sender.Connected(receiveMaximum, sessionPresent);
            Model.Connect(receiveMaximum, sessionPresent);
        }

        public void Step(Random random, ManualSenderLog? log)
        {
            var id = Model.InFlight.Count > 0 && random.Next(5) > 0 ? Model.InFlight[random.Next(Model.InFlight.Count)].Id : (ushort)random.Next(1, 30);
            switch (random.Next(24))
            {
                case < 6:
                    Add(random);
                    break;
                case < 13:
                    Send();
                    break;
                case < 16:
                    Answer(new PublishAckPacket(PacketType.PubAck, id));
                    break;
                case < 18:
                    Answer(new PublishAckPacket(PacketType.PubRec, id, random.Next(4) == 0 ? ReasonCode.QuotaExceeded : ReasonCode.Success));
                    break;
                case < 20:
                    Answer(new PublishAckPacket(PacketType.PubComp, id));
                    break;
                case 20:
                    log?.Commit();
                    break;
                case 21:
                    _now += TimeSpan.FromSeconds(1);
                    break;
                case 22 when random.Next(2) == 0 && _reserved.Count < 10:
                    var taken = Sender.Reserve();
                    Assert.True(Model.Used.Add(taken), "an identifier in use [MQTT-2.2.1-3]");
                    _reserved.Add(taken);
                    break;
                case 23 when random.Next(6) == 0:
                    Connect(random.Next(1, 5), sessionPresent: random.Next(4) > 0);
                    break;
            }
            Assert.Equal((Model.Count, Model.Bytes), (Sender.Count, Sender.Bytes));
        }

        private void Add(Random random)
        {
            var message = new Message { Topic = $"{_messages++}", Qos = random.Next(3), ExpiresAt = random.Next(4) == 0 ? _now + TimeSpan.FromSeconds(random.Next(3)) : null };
            var batch = Sender.Add(new Outgoing(message, message.Qos, Retain: false));
            Model.Items.Add(new PlainSender.Item(message) { Batch = batch });
        }

        private void Send()
        {
            var (expected, isDup, isKnown) = Model.Next(_now);
            var isThere = Sender.TryNext(_now, out var next);
            Assert.Equal(expected is not null, isThere);
            if (expected is null)
                return;
            if (next.IsRelease)
            {
                Assert.Equal((expected.Topic, expected.IsReleased || !isKnown, isKnown, isDup), (expected.Topic, true, next.Found, next.Dup));
                Assert.Equal(expected.Id, next.PacketId);
                return;
            }
            Assert.Equal((expected.Topic, isDup), (next.Publish.Message.Topic, next.Dup));
            if (expected.Qos == 0)
                Assert.Equal(0, next.PacketId);
            else if (isDup)
                Assert.Equal(expected.Id, next.PacketId); // [MQTT-4.4.0-1]
            else
                Assert.True(Model.Used.Add(expected.Id = next.PacketId), "an identifier in use [MQTT-2.2.1-4]");
        }

        // An answer that no peer may give ends the connection, and changes nothing.
        private void Answer(PublishAckPacket answer)
        {
            if (Model.IsForbidden(answer))
            {
                Assert.Throws<ProtocolException>(() => Sender.Answered(answer));
                return;
            }
            Sender.Answered(answer);
            Model.Answered(answer);
        }
    }
}
