using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Mqtt.Bench;

/// <summary>Publishes readings, with at most so many under way.</summary>
internal sealed class PublishingPeer : Peer
{
    private const string Topic = "DATA";

    private readonly byte[] _packets;
    private readonly int _size;
    private readonly int _inFlight;
    private readonly int _qos;
    private long _sent;
    private long _arrived;
    private long _second;
    private long _sentAt;

    /// <summary>Connects.</summary>
    /// <param name="port">The broker's.</param>
    /// <param name="clientId">Its name.</param>
    /// <param name="qos">Of its messages.</param>
    /// <param name="inFlight">So many are under way at a time.</param>
    /// <param name="bufferSize">Of its socket.</param>
    public PublishingPeer(int port, string clientId, int qos, int inFlight, int bufferSize = 1 << 20)
        : base(port, clientId, bufferSize)
    {
        (_qos, _inFlight) = (qos, inFlight);
        _packets = [.. Enumerable.Range(1, inFlight).SelectMany(id => Packet((ushort)id, qos))];
        _size = _packets.Length / inFlight;
    }

    /// <summary>How many were acknowledged to the end; at QoS 0, 0.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>A subscriber says which have arrived, and only then others are sent.</summary>
    public bool WaitsForArrival { get; init; }

    /// <summary>Told how long a message took until its acknowledgement, in ticks of the clock; null for nobody.</summary>
    public Action<long>? Took { get; init; }

    /// <summary>So many have arrived.</summary>
    public void Arrived(int count)
    {
        _arrived += count;
        Send();
    }

    /// <summary>Sends all that may be sent.</summary>
    public void Send()
    {
        var done = Math.Min(_qos > 0 ? Acknowledged : long.MaxValue, WaitsForArrival ? _arrived : long.MaxValue);
        var mayBeSent = (int)(_inFlight - (_sent - done));
        if (mayBeSent < Math.Max(1, _inFlight / 8)) // Few writes, and few turns.
            return;
        TellTime();
        _sentAt = Took is null ? 0 : TimeProvider.System.GetTimestamp();
        while (mayBeSent > 0)
        {
            var next = (int)(_sent % _inFlight);
            var count = Math.Min(mayBeSent, _inFlight - next);
            Say(_packets.AsSpan(next * _size, count * _size));
            _sent += count;
            mayBeSent -= count;
        }
        Flush();
    }

    /// <inheritdoc/>
    protected override void Handle(byte type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case 0x40 or 0x70:
                Acknowledged++;
                Took?.Invoke(TimeProvider.System.GetTimestamp() - _sentAt);
                break;
            case 0x50:
                Say([0x62, 2, body[0], body[1]]);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void AfterRead() => Send();

    private static byte[] Packet(ushort id, int qos)
    {
        var packet = PreparedPackets.PublishTo(Topic, qos, retain: false, Encoding.ASCII.GetBytes($"{{\"number\": {10 + (id % 90)}, \"epochtime\": \"1700000000\"}}"));
        if (qos > 0)
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4 + Topic.Length), id); // Behind the fixed header and the topic, with two bytes of length each.
        return packet;
    }

    // Readings are of now, whenever that is.
    private void TellTime()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        if (now == _second)
            return;
        _second = now;
        var digits = Encoding.ASCII.GetBytes(now.ToString(CultureInfo.InvariantCulture));
        for (var at = _size - 2 - digits.Length; at < _packets.Length; at += _size)
            digits.CopyTo(_packets, at);
    }
}
