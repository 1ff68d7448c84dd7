using System.Buffers;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Session;

/// <summary>A session without sockets, beside a plain client that publishes to it and a host that completes, refuses and is slow.</summary>
public class PublisherModelTests
{
    [Fact]
    public void Whatever_breaks_the_host_has_once_what_the_client_is_told_at_qos_2_and_answers_come_in_the_order_of_receipt()
    {
        var random = Seeds.Random();
        var told = 0;
        for (var run = 0; run < 100; run++)
        {
            var publisher = new Publisher(random);
            for (var step = 0; step < 1000; step++)
                publisher.Step();
            publisher.Finish();
            Assert.All(publisher.Told.Where(one => one.Qos == 2), one => Assert.Equal(one.IsTaken ? 1 : 0, publisher.Accepted.Count(number => number == one.Number)));
            Assert.All(publisher.Told.Where(one => one is { Qos: 1, IsTaken: true }), one => Assert.Contains(one.Number, publisher.Accepted));
            told += publisher.Told.Count;
        }
        Assert.True(told > 1000);
    }

    private sealed class Publisher
    {
        private const int ReceiveMaximum = 6;

        private readonly Random _random;
        private readonly ClientSession _session = new("c", new SessionLimits(ReceiveMaximum, 0, 100, long.MaxValue), new Journal(store: null), new DropCounters((_, _, _) => { }), [], []);
        private readonly List<Pending> _pending = [];
        private readonly List<(Incoming Incoming, int Number)> _host = []; // What it has not completed.
        private readonly List<string> _owed = []; // On this connection.
        private int _numbers;
        private ushort _lastId;

        public Publisher(Random random)
        {
            _random = random;
            Connect(sessionPresent: false);
        }

        /// <summary>What the client was told of its messages.</summary>
        public List<(int Number, int Qos, bool IsTaken)> Told { get; } = [];

        /// <summary>What the host has taken.</summary>
        public List<int> Accepted { get; } = [];

        public void Step()
        {
            switch (_random.Next(20))
            {
                case 0:
                    Break();
                    break;
                case < 8:
                    PublishNew();
                    break;
                case < 16:
                    CompleteNext();
                    break;
                default:
                    ReadAnswers(isLost: false);
                    break;
            }
            Assert.Equal((_owed.Count, _host.Count(held => held.Incoming.Message?.Qos == 0)), (_session.Owed, _session.UnsettledAtQos0));
        }

        public void Finish()
        {
            while (_pending.Count > 0 || _host.Count > 0)
            {
                CompleteNext();
                ReadAnswers(isLost: false);
            }
            Assert.Empty(_owed);
        }

        private void Connect(bool sessionPresent)
        {
            _session.Connected(new Terms(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = "c" }, 100, uint.MaxValue), sessionPresent);
            _owed.Clear();
            foreach (var pending in _pending.ToList()) // In its order [MQTT-4.6.0-1].
            {
                if (pending.IsReleased)
                    Release(pending);
                else
                    Publish(pending, dup: true); // [MQTT-4.4.0-1]
            }
        }

        // With what was answered last.
        private void Break()
        {
            ReadAnswers(isLost: true);
            _session.Disconnected(TimeSpan.MaxValue);
            Connect(sessionPresent: true);
        }

        private void PublishNew()
        {
            var qos = _random.Next(3);
            if (qos > 0 && _pending.Count == ReceiveMaximum)
            {
                if (!_pending.Exists(pending => pending.IsReleased))
                    Assert.Equal(ReasonCode.ReceiveMaximumExceeded, Assert.Throws<ProtocolException>(() => Send(new Pending(-1, qos, NextId()), dup: false)).Reason); // [MQTT-3.3.4-9]
                return;
            }
            var next = new Pending(_numbers++, qos, qos > 0 ? NextId() : (ushort)0);
            if (qos > 0)
                _pending.Add(next);
            Publish(next, dup: false);
        }

        private void Publish(Pending pending, bool dup)
        {
            var incoming = Send(pending, dup);
            _host.Add((incoming, pending.Number));
            if (pending.Qos > 0)
                _owed.Add($"{(pending.Qos == 1 ? PacketType.PubAck : PacketType.PubRec)} {pending.Id}");
        }

        private Incoming Send(Pending pending, bool dup) =>
            _session.Publish(new PublishPacket { Topic = "a", Qos = pending.Qos, PacketId = pending.Id, Dup = dup }, new Message { Topic = "a", Qos = pending.Qos }, DateTimeOffset.UnixEpoch);

        private void Release(Pending pending)
        {
            pending.IsReleased = true;
            _host.Add((_session.Release(pending.Id), pending.Number));
            _owed.Add($"{PacketType.PubComp} {pending.Id}");
        }

        // In the order in which it has got them.
        private void CompleteNext()
        {
            if (_host.Count == 0)
                return;
            var (incoming, number) = _host[0];
            _host.RemoveAt(0);
            if (incoming.Kind == IncomingKind.Message && _random.Next(5) == 0)
            {
                _session.Refuse(incoming);
                return;
            }
            _session.Complete(incoming);
            if (incoming.Kind == IncomingKind.Message)
                Accepted.Add(number);
        }

        private void ReadAnswers(bool isLost)
        {
            using var writer = new PacketWriter();
            Assert.True(_session.Write(writer, TimeSpan.Zero, int.MaxValue));
            var bytes = new ReadOnlySequence<byte>(writer.Written);
            while (Frame.TryRead(ref bytes, Frame.LargestSize, ProtocolVersion.V5, out var frame))
            {
                var answer = PublishAckPacket.Read(frame, ProtocolVersion.V5);
                Assert.Equal(_owed[0], $"{answer.Type} {answer.PacketId}"); // [MQTT-4.6.0-2], [MQTT-4.6.0-3]
                _owed.RemoveAt(0);
                if (!isLost)
                    Take(answer);
            }
        }

        private void Take(PublishAckPacket answer)
        {
            var pending = _pending.Find(one => one.Id == answer.PacketId);
            Assert.NotNull(pending);
            var isRefused = answer.Reason == ReasonCode.QuotaExceeded;
            if (answer.Type == PacketType.PubRec && !isRefused)
            {
                Release(pending);
                return;
            }
            _pending.Remove(pending);
            Told.Add((pending.Number, pending.Qos, !isRefused));
        }

        private ushort NextId()
        {
            do
                _lastId = (ushort)((_lastId % 20) + 1); // So that they come again soon.
            while (_pending.Exists(pending => pending.Id == _lastId));
            return _lastId;
        }

        private sealed class Pending(int number, int qos, ushort id)
        {
            public int Number => number;

            public int Qos => qos;

            public ushort Id => id;

            public bool IsReleased { get; set; }
        }
    }
}
