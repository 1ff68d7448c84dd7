using System.Buffers;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Client;

/// <summary>What the client remembers, without sockets.</summary>
public class ClientStateTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Clause("MQTT-3.3.4-7", "MQTT-4.9.0-2")]
    public void Whatever_breaks_everything_is_answered_in_the_end_and_no_more_is_in_flight_than_may_be(bool losesSessions)
    {
        var random = Seeds.Random();
        var state = NewState();
        var server = new ModelServer(random);
        var answers = new List<Task<ReasonCode>>();
        for (var number = 0; number < 20_000; number++)
        {
            var answered = new TaskCompletionSource<ReasonCode>();
            var qos = random.Next(1, 3);
            state.Add(new Outgoing(new Message { Topic = $"{number} {qos}", Qos = qos }, qos, Retain: false, Answered: answered));
            answers.Add(answered.Task);
            if (random.Next(50) == 0)
                server.Connect(state, losesSession: losesSessions && random.Next(4) == 0);
            if (random.Next(3) == 0)
                server.Talk(state);
        }
        server.Connect(state, losesSession: false);
        while (!state.IsIdle)
            server.Talk(state);

        Assert.All(answers, answer => Assert.True(answer.IsCompletedSuccessfully));
        var received = server.Received;
        Assert.Equal(Enumerable.Range(0, 20_000), received.Select(topic => int.Parse(topic.Split(' ')[0], null)).Distinct());
        if (!losesSessions)
            Assert.Equal(received.Where(topic => topic.EndsWith('2')).Distinct(), received.Where(topic => topic.EndsWith('2')));
    }

    [Fact]
    public void Receiving_at_qos_1_allocates_nothing_for_a_message()
    {
        var (state, buffer, topics) = (NewState(), new IncomingBuffer(), new TopicCache());
        state.Connected(new ConnAckPacket(SessionPresent: true, ReasonCode.Success), ProtocolVersion.V5);
        using var packets = new PacketWriter();
        for (ushort id = 1; id <= 50; id++)
            new PublishPacket { Topic = "readings/a", PacketId = id, Qos = 1, Payload = new ReadOnlySequence<byte>(new byte[45]) }.Write(packets, ProtocolVersion.V5);
        var bytes = new ReadOnlySequence<byte>(packets.Written.ToArray());
        var batch = new Incoming[50];
        using var answers = new PacketWriter();
        Receive();
        Receive();
        Assert.Equal(0, Allocations.Of(Receive));

        void Receive()
        {
            var rest = bytes;
            while (Frame.TryRead(ref rest, Frame.LargestSize, ProtocolVersion.V5, out var frame))
            {
                var publish = PublishPacket.Read(frame, ProtocolVersion.V5, topics);
                lock (state.Gate)
                    buffer.Add(state.Publish(publish, buffer.Read(state.TopicOf(publish), publish, TimeSpan.Zero), default));
            }
            Assert.True(buffer.FlushAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
            var count = 0;
            while (buffer.Reader.TryRead(out var incoming))
                batch[count++] = incoming;
            foreach (ref readonly var incoming in batch.AsSpan(0, count))
                state.Complete(incoming);
            buffer.Complete(batch.AsSpan(0, count));
            state.Write(answers, TimeSpan.Zero, int.MaxValue);
            answers.Clear();
        }
    }

    [Fact]
    [Clause("MQTT-2.2.1-3")]
    public void A_request_and_a_message_never_have_the_same_identifier()
    {
        var state = NewState();
        state.Connected(new ConnAckPacket(SessionPresent: false, ReasonCode.Success), ProtocolVersion.V5);
        var (waiting, used) = (new Queue<ushort>(), new HashSet<ushort>());
        using var writer = new PacketWriter();
        for (var round = 0; round < 200_000; round++)
        {
            if (round % 1000 == 0)
                state.Add(new Request(PacketType.UnsubAck, 1, static (writer, version, id) => new UnsubscribePacket(id, ["a"]).Write(writer, version))); // Never answered.
            state.Add(new Outgoing(new Message { Topic = "a" }, 1, Retain: false));
            state.Write(writer, TimeSpan.Zero, int.MaxValue);
            var bytes = new ReadOnlySequence<byte>(writer.Written);
            while (Frame.TryRead(ref bytes, Frame.LargestSize, ProtocolVersion.V5, out var frame))
            {
                var isPublish = frame.Type == PacketType.Publish;
                var id = isPublish ? PublishPacket.Read(frame, ProtocolVersion.V5, new TopicCache()).PacketId : UnsubscribePacket.Read(frame, ProtocolVersion.V5).PacketId;
                Assert.True(used.Add(id), $"{id} is in use");
                if (isPublish)
                    waiting.Enqueue(id);
            }
            writer.Clear();
            if (waiting.Count < 20)
                continue;
            used.Remove(waiting.Peek());
            state.Answered(new PublishAckPacket(PacketType.PubAck, waiting.Dequeue()));
        }
    }

    [Fact]
    public void A_server_that_reads_no_pubrel_is_not_owed_any_number_of_them()
    {
        const int tooMany = 1_000_000;
        var state = NewState();
        state.Connected(new ConnAckPacket(SessionPresent: false, ReasonCode.Success), ProtocolVersion.V5);
        Assert.Throws<ProtocolException>(() =>
        {
            for (var i = 0; i < tooMany; i++)
                state.Answered(new PublishAckPacket(PacketType.PubRec, 7));
        });
    }

    private static ClientState NewState() => new(new ClientOptions { Server = new Uri("mqtt://nowhere"), ClientId = "c" });

    // The other side, as the standard has it, and as plain as can be. Its connections may end at any packet.
    private sealed class ModelServer(Random random)
    {
        private readonly HashSet<ushort> _ids = [];
        private readonly Queue<PublishAckPacket> _answers = new();
        private readonly HashSet<ushort> _unanswered = [];
        private int _receiveMaximum;
        private bool _isConnected;

        public List<string> Received { get; } = [];

        public void Connect(ClientState state, bool losesSession)
        {
            if (_isConnected)
                state.Disconnected();
            var isPresent = _isConnected && !losesSession;
            if (!isPresent)
                _ids.Clear();
            _answers.Clear();
            _unanswered.Clear();
            _receiveMaximum = random.Next(1, 30);
            _isConnected = true;
            state.Connected(new ConnAckPacket(isPresent, ReasonCode.Success, new Properties(new Property(PropertyId.ReceiveMaximum, (uint)_receiveMaximum))), ProtocolVersion.V5);
        }

        public void Talk(ClientState state)
        {
            if (!_isConnected)
                return;
            using var writer = new PacketWriter();
            state.Write(writer, TimeSpan.Zero, int.MaxValue);
            var bytes = new ReadOnlySequence<byte>(writer.Written);
            while (Frame.TryRead(ref bytes, Frame.LargestSize, ProtocolVersion.V5, out var frame))
            {
                if (frame.Type == PacketType.Publish)
                    Take(PublishPacket.Read(frame, ProtocolVersion.V5, new TopicCache()));
                else
                    Release(PublishAckPacket.Read(frame, ProtocolVersion.V5));
            }
            for (var count = random.Next(4); count > 0 && _answers.TryDequeue(out var answer); count--)
            {
                if (answer.Type != PacketType.PubRec)
                    _unanswered.Remove(answer.PacketId);
                state.Answered(answer);
            }
        }

        private void Take(PublishPacket publish)
        {
            Assert.True(_unanswered.Add(publish.PacketId), "sent twice on one connection");
            Assert.True(_unanswered.Count <= _receiveMaximum, "more than Receive Maximum [MQTT-3.3.4-7]");
            if (publish.Qos == 1 || _ids.Add(publish.PacketId))
                Received.Add(publish.Topic);
            _answers.Enqueue(new PublishAckPacket(publish.Qos == 1 ? PacketType.PubAck : PacketType.PubRec, publish.PacketId));
        }

        private void Release(PublishAckPacket release)
        {
            var isKnown = _ids.Remove(release.PacketId);
            _answers.Enqueue(new PublishAckPacket(PacketType.PubComp, release.PacketId, isKnown ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound));
        }
    }
}
