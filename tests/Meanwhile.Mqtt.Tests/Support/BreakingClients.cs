using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Publishes 1, 2, 3 … at each QoS in turn of a random choice, and sends what is not acknowledged again after each break, as the standard has it [MQTT-4.4.0-1].</summary>
internal sealed class BreakingPublisher(IPEndPoint endPoint, string name, ProtocolVersion version, Random random)
{
    private const int MostOpen = 200;

    private readonly List<Open> _open = [];
    private readonly int[] _sent = new int[3];
    private ushort _lastId;

    /// <summary>How many were published at each QoS.</summary>
    public IReadOnlyList<int> Sent => _sent;

    /// <summary>How often it had to connect anew.</summary>
    public int Breaks { get; private set; }

    /// <summary>Publishes so many, and waits for their acknowledgements.</summary>
    /// <param name="count">How many.</param>
    /// <param name="mayGoOn">Says whether the receiver keeps up.</param>
    public async Task RunAsync(int count, Func<bool> mayGoOn)
    {
        var hadSession = false;
        while (_sent.Sum() < count || _open.Count > 0)
        {
            try
            {
                var (connection, sessionPresent) = await BreakingConnection.OpenAsync(endPoint, name, version, random);
                using (connection)
                {
                    Assert.True(sessionPresent || !hadSession, "the broker has lost the session");
                    hadSession = true;
                    await PublishAsync(connection, count, mayGoOn);
                }
            }
            catch (IOException)
            {
                Breaks++;
            }
        }
    }

    private async Task PublishAsync(BreakingConnection connection, int count, Func<bool> mayGoOn)
    {
        foreach (var open in _open)
            Send(connection, open, dup: true);
        while (_sent.Sum() < count || _open.Count > 0)
        {
            while (_sent.Sum() < count && _open.Count < MostOpen && random.Next(100) > 0)
            {
                var qos = random.Next(3);
                var open = new Open(qos == 0 ? (ushort)0 : NextId(), qos, ++_sent[qos]);
                if (qos > 0)
                    _open.Add(open);
                Send(connection, open, dup: false);
            }
            await connection.FlushAsync();
            if (_open.Count > 0)
                await connection.ReadAsync(frame => Handle(connection, PublishAckPacket.Read(frame, version)));
            while (!mayGoOn())
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private void Handle(BreakingConnection connection, PublishAckPacket answer)
    {
        var open = Assert.Single(_open, open => open.PacketId == answer.PacketId);
        if (answer.Type == PacketType.PubRec)
        {
            open.IsReceived = true;
            connection.Answer(PacketType.PubRel, answer.PacketId);
            return;
        }
        Assert.Equal(open.Qos == 1 ? PacketType.PubAck : PacketType.PubComp, answer.Type);
        _open.Remove(open);
    }

    private void Send(BreakingConnection connection, Open open, bool dup)
    {
        if (open.IsReceived)
        {
            connection.Answer(PacketType.PubRel, open.PacketId);
            return;
        }
        var number = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, open.Number);
        var publish = new PublishPacket { Topic = $"{name}/{open.Qos}", Qos = open.Qos, PacketId = open.PacketId, Dup = dup, Payload = new ReadOnlySequence<byte>(number) };
        connection.Add(writer => publish.Write(writer, version));
    }

    private ushort NextId()
    {
        do
            _lastId = (ushort)((_lastId % ushort.MaxValue) + 1);
        while (_open.Exists(open => open.PacketId == _lastId));
        return _lastId;
    }

    private sealed class Open(ushort packetId, int qos, int number)
    {
        public ushort PacketId => packetId;

        public int Qos => qos;

        public int Number => number;

        public bool IsReceived { get; set; }
    }
}

/// <summary>Takes everything, through connections that break, and writes down what arrives on each topic.</summary>
internal sealed class BreakingSubscriber(IPEndPoint endPoint, ProtocolVersion version, Random random)
{
    private readonly HashSet<ushort> _received = [];
    private readonly HashSet<(string Topic, int Number)> _seen = [];
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    /// <summary>It will miss nothing from here on.</summary>
    public Task Subscribed => _subscribed.Task;

    /// <summary>How many arrived at QoS 1 and 2, for the first time.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The numbers by topic, in their order of arrival.</summary>
    public Dictionary<string, List<int>> Arrived { get; } = new(StringComparer.Ordinal);

    /// <summary>How often it had to connect anew.</summary>
    public int Breaks { get; private set; }

    /// <summary>Runs until it is stopped.</summary>
    public async Task RunAsync(Func<bool> isOver)
    {
        var hadSession = false;
        while (!isOver())
        {
            try
            {
                var (connection, sessionPresent) = await BreakingConnection.OpenAsync(endPoint, "subscriber", version, random);
                using (connection)
                {
                    Assert.True(sessionPresent || !hadSession, "the broker has lost the session");
                    hadSession = true;
                    if (!Subscribed.IsCompleted)
                        connection.Add(writer => new SubscribePacket(1, [new SubscriptionRequest("#", 2)]).Write(writer, version));
                    while (!isOver())
                    {
                        await connection.FlushAsync();
                        await connection.ReadAsync(frame => Handle(connection, frame));
                    }
                    await connection.FlushAsync();
                }
            }
            catch (IOException)
            {
                Breaks++;
            }
        }
    }

    private void Handle(BreakingConnection connection, Frame frame)
    {
        if (frame.Type == PacketType.SubAck)
            _subscribed.TrySetResult();
        else if (frame.Type == PacketType.PubRel)
            Release(connection, PublishAckPacket.Read(frame, version).PacketId);
        else
            Take(connection, connection.PublishOf(frame));
    }

    private void Release(BreakingConnection connection, ushort packetId)
    {
        _received.Remove(packetId);
        connection.Answer(PacketType.PubComp, packetId);
    }

    private void Take(BreakingConnection connection, PublishPacket publish)
    {
        if (publish.Qos != 2 || _received.Add(publish.PacketId))
            Note(publish.Topic, BinaryPrimitives.ReadInt32BigEndian(publish.Payload.ToArray()), publish.Qos);
        if (publish.Qos > 0)
            connection.Answer(publish.Qos == 1 ? PacketType.PubAck : PacketType.PubRec, publish.PacketId);
    }

    private void Note(string topic, int number, int qos)
    {
        if (!Arrived.TryGetValue(topic, out var numbers))
            Arrived.Add(topic, numbers = []);
        if (qos > 0 && _seen.Add((topic, number)))
            Interlocked.Increment(ref _count);
        numbers.Add(number);
    }
}
