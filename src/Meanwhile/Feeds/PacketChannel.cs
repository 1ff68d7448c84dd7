using System.Buffers;
using System.Buffers.Binary;
using System.Text.Unicode;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Channel;
using MQTTnet.Formatter;
using MQTTnet.Implementations;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>
/// Packets over TCP, TLS or a WebSocket: many are read from the socket at once, and many are collected for one write. The library does the transport
/// and the coding of packets; its own adapter reads three times and writes once for each of them.
/// </summary>
/// <remarks>One reader and one writer at a time. Both throw <see cref="BrokerException"/> when the connection has ended or cannot go on.</remarks>
internal sealed class PacketChannel : IDisposable
{
    private const int BufferSize = 64 << 10;

    private readonly IMqttChannel _transport;
    private readonly MqttPacketFormatterAdapter _formatter;
    private readonly TimeProvider _time;
    private readonly ArrayBufferWriter<byte> _unsent = new(BufferSize);
    private byte[] _received = new byte[BufferSize];
    private int _start;
    private int _end;
    private int _packetLength;
    private long _lastRead;

    /// <summary>A channel that is not connected yet.</summary>
    public PacketChannel(MqttClientOptions options, TimeProvider time)
    {
        _transport = options.ChannelOptions is MqttClientWebSocketOptions webSocket ? new MqttWebSocketChannel(webSocket) : new MqttTcpChannel(options);
        _formatter = new MqttPacketFormatterAdapter(options.ProtocolVersion, new MqttBufferWriter(options.WriterBufferSize, options.WriterBufferSizeMax));
        _time = time;
    }

    /// <summary>What is spoken.</summary>
    public MqttProtocolVersion Version => _formatter.ProtocolVersion;

    /// <summary>When the end of the packet that was received last came out of the socket, in milliseconds since the Unix epoch.</summary>
    public long Arrived { get; private set; }

    /// <summary>How long the packet was that was received last, in bytes.</summary>
    public int PacketLength => _packetLength;

    /// <summary>For how long the socket has given nothing.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _lastRead));

    /// <summary>Enough is collected for a write.</summary>
    public bool IsFull => _unsent.WrittenCount >= BufferSize;

    /// <summary>Opens the connection, before any packet.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        await _transport.ConnectAsync(cancellationToken);
        Volatile.Write(ref _lastRead, _time.GetTimestamp());
    }

    /// <summary>The next packet.</summary>
    public async ValueTask<MqttPacket> ReceiveAsync(CancellationToken cancellationToken)
    {
        ReceivedMqttPacket packet;
        while (!TryTake(out packet))
            await FillAsync(cancellationToken);
        var decoded = Decode(packet);
        if (decoded is MqttPublishPacket publish && publish.Topic.Contains('\uFFFD', StringComparison.Ordinal) && !Utf8.IsValid(TopicIn(packet.Body)))
            throw Malformed("a topic that is not UTF-8"); // [MQTT-1.5.4-1]. The library has replaced what is not: two names would be one.
        return decoded;
    }

    /// <summary>Collects a packet; <see cref="FlushAsync"/> sends it.</summary>
    public void Write(MqttPacket packet)
    {
        var bytes = _formatter.Encode(packet);
        _unsent.Write(bytes.Packet);
        foreach (var part in bytes.Payload)
            _unsent.Write(part.Span);
        _formatter.Cleanup();
    }

    /// <summary>Collects a packet that is encoded already.</summary>
    public void Write(ReadOnlySpan<byte> packet) => _unsent.Write(packet);

    /// <summary>Sends what was collected, in one write.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_unsent.WrittenCount == 0)
            return;
        try
        {
            await _transport.WriteAsync(new ReadOnlySequence<byte>(_unsent.WrittenMemory), isEndOfPacket: true, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new BrokerException(BrokerFailure.Describe(e), e);
        }
        _unsent.ResetWrittenCount();
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    private MqttPacket Decode(in ReceivedMqttPacket packet)
    {
        try
        {
            return _formatter.Decode(packet);
        }
        catch (Exception e)
        {
            throw Malformed(BrokerFailure.Describe(e), e);
        }
    }

    private static ReadOnlySpan<byte> TopicIn(ReadOnlySpan<byte> publish) => publish.Slice(sizeof(ushort), BinaryPrimitives.ReadUInt16BigEndian(publish));

    private static BrokerException Malformed(string what, Exception? inner = null) =>
        new($"malformed packet: {what}", inner) { Answer = MqttDisconnectReasonCode.MalformedPacket };

    private bool TryTake(out ReceivedMqttPacket packet)
    {
        var bytes = _received.AsSpan(_start, _end - _start);
        if (!TryReadLength(bytes, out var headerLength, out var bodyLength) || bytes.Length < (_packetLength = headerLength + bodyLength))
        {
            packet = default;
            return false;
        }
        packet = new ReceivedMqttPacket(bytes[0], new ArraySegment<byte>(_received, _start + headerLength, bodyLength), _packetLength);
        _start += _packetLength;
        return true;
    }

    // Seven bits to a byte, the lowest first, in at most four bytes [MQTT-1.5.5-1].
    private static bool TryReadLength(ReadOnlySpan<byte> bytes, out int headerLength, out int bodyLength)
    {
        bodyLength = 0;
        for (headerLength = 2; headerLength <= bytes.Length; headerLength++)
        {
            var digit = bytes[headerLength - 1];
            bodyLength |= (digit & 0x7F) << (7 * (headerLength - 2));
            if (digit < 0x80)
                return true;
            if (headerLength == 5)
                throw Malformed("its length has more than four bytes");
        }
        return false;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        MakeRoom();
        int count;
        try
        {
            count = await _transport.ReadAsync(_received, _end, _received.Length - _end, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new BrokerException(BrokerFailure.Describe(e), e);
        }
        if (count == 0)
            throw new BrokerException("the connection was closed");
        _end += count;
        Volatile.Write(ref _lastRead, _time.GetTimestamp());
        Arrived = _time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    // A large packet's buffer grows with what has come of it, not with what its header claims, and is given back after it.
    private void MakeRoom()
    {
        if (_start == _end)
        {
            (_start, _end) = (0, 0);
            if (_received.Length > BufferSize)
                _received = new byte[BufferSize];
        }
        if (_end < _received.Length)
            return;
        var room = _start > 0 ? _received : new byte[(int)Math.Min(4L * _received.Length, _packetLength)];
        Array.Copy(_received, _start, room, 0, _end - _start);
        (_received, _end, _start) = (room, _end - _start, 0);
    }
}
