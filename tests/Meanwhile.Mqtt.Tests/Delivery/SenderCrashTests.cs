using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Delivery;

/// <summary>The sending half of a process that crashes, and a receiver that does not.</summary>
public class SenderCrashTests
{
    [Fact]
    public void Through_crashes_at_any_moment_qos_2_arrives_exactly_once_qos_1_at_least_once_and_both_in_order()
    {
        var random = Seeds.Random();
        for (var run = 0; run < 100; run++)
        {
            var peer = new CrashingPair(random);
            for (var step = 0; step < 1000; step++)
                peer.Step();
            peer.Finish();
            foreach (var qos in (int[])[1, 2])
            {
                var due = peer.Durable.Where(message => message.Qos == qos).ToList();
                var arrived = peer.Delivered.Where(message => message.Qos == qos).ToList();
                Assert.Equal(due, qos == 2 ? arrived : arrived.Distinct());
            }
            Assert.True(peer.Crashes > 0);
        }
    }

    // Both processes have the same messages; what the sender's has not committed when it crashes never was.
    private sealed class CrashingPair
    {
        private readonly Random _random;
        private readonly Queue<Transmission> _there = new();
        private readonly Queue<PublishAckPacket> _back = new();
        private readonly HashSet<ushort> _receivedIds = [];
        private readonly List<Message> _uncommitted = [];
        private ManualSenderLog _log = new();
        private Sender _sender;
        private int _messages;

        public CrashingPair(Random random)
        {
            _random = random;
            _sender = new Sender(_log, memory: null);
            _sender.Connected(4);
        }

        public List<Message> Durable { get; } = [];

        public List<Message> Delivered { get; } = [];

        public int Crashes { get; private set; }

        public void Step()
        {
            switch (_random.Next(100))
            {
                case 0:
                    Crash();
                    break;
                case 1:
                    Break();
                    break;
                case < 20:
                    var message = new Message { Topic = $"{_messages++}", Qos = _random.Next(1, 3) };
                    _sender.Add(new Outgoing(message, message.Qos, Retain: false));
                    _uncommitted.Add(message);
                    break;
                case < 30:
                    Commit();
                    break;
                case < 60:
                    if (_sender.TryNext(TimeSpan.Zero, out var next))
                        _there.Enqueue(next);
                    break;
                case < 80:
                    if (_there.TryDequeue(out var arrived))
                        Arrive(arrived);
                    break;
                default:
                    if (_back.TryDequeue(out var answer))
                        _sender.Answered(answer);
                    break;
            }
        }

        public void Finish()
        {
            Crash();
            while (_sender.Count > 0)
            {
                while (_sender.TryNext(TimeSpan.Zero, out var next))
                    Arrive(next);
                while (_back.TryDequeue(out var answer))
                    _sender.Answered(answer);
                Commit();
            }
        }

        private void Commit()
        {
            _log.Commit();
            Durable.AddRange(_uncommitted);
            _uncommitted.Clear();
        }

        private void Crash()
        {
            Crashes++;
            var kept = _log.Kept();
            _uncommitted.Clear();
            _log = new ManualSenderLog(kept);
            _sender = new Sender(_log, memory: null);
            foreach (var (number, (outgoing, isReleased)) in kept)
                _sender.Restore(outgoing, number, isReleased);
            _sender.Restored(lastSent: null);
            Break();
        }

        private void Break()
        {
            _there.Clear();
            _back.Clear();
            _sender.Disconnected();
            _sender.Connected(_random.Next(1, 5));
        }

        private void Arrive(in Transmission arrived)
        {
            var id = arrived.PacketId;
            if (arrived.IsRelease)
            {
                _receivedIds.Remove(id);
                _back.Enqueue(new PublishAckPacket(PacketType.PubComp, id));
                return;
            }
            var qos = arrived.Publish.Qos;
            if (qos == 1 || _receivedIds.Add(id))
                Delivered.Add(arrived.Publish.Message);
            _back.Enqueue(new PublishAckPacket(qos == 1 ? PacketType.PubAck : PacketType.PubRec, id));
        }
    }
}
