using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Mqtt.Bench;

/// <summary>A program of few instructions that sends prepared packets and counts what it reads.</summary>
internal sealed class RawPeer : IDisposable
{
    private const string Payload = """{"number": 46, "epochtime": "1669940235"}    """;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[1 << 18];
    private int _have;

    private RawPeer(Socket socket) => _socket = socket;

    public static async Task<RawPeer> ConnectAsync(IPEndPoint endPoint, string clientId)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 1 << 20, SendBufferSize = 1 << 20 };
        await socket.ConnectAsync(endPoint);
        var peer = new RawPeer(socket);
        await peer.SendAsync((byte[])[0x10, (byte)(12 + clientId.Length), 0, 4, .. "MQTT"u8, 4, 2, 0, 0, 0, (byte)clientId.Length, .. System.Text.Encoding.ASCII.GetBytes(clientId)]);
        await peer.ReadAsync((_, _) => { });
        return peer;
    }

    public async Task SubscribeAsync(int qos)
    {
        await SendAsync((byte[])[0x82, 9, 0, 1, 0, 4, .. "DATA"u8, (byte)qos]);
        await ReadAsync((_, _) => { });
    }

    /// <summary>Publishes with so many in flight, until told to stop; counts what is acknowledged, or at QoS 0 what is sent.</summary>
    public async Task PublishAsync(int qos, int inFlight, Counter counter, CancellationToken stop)
    {
        var packets = Packets(qos, inFlight);
        var size = packets.Length / inFlight;
        await SendAsync(packets);
        counter.Add(qos == 0 ? inFlight : 0);
        var next = 0;
        while (!stop.IsCancellationRequested)
        {
            if (qos == 0)
            {
                await SendAsync(packets);
                counter.Add(inFlight);
                continue;
            }
            var (again, releases) = (0, new List<byte>());
            await ReadAsync((type, body) =>
            {
                if (type is 0x40 or 0x70)
                    again++;
                else if (type == 0x50)
                    releases.AddRange([0x62, 2, body[0], body[1]]);
            });
            counter.Add(again);
            if (releases.Count > 0)
                await SendAsync(releases.ToArray());
            while (again > 0)
            {
                var count = Math.Min(again, inFlight - next);
                await SendAsync(packets.AsMemory(next * size, count * size));
                next = (next + count) % inFlight;
                again -= count;
            }
        }
    }

    /// <summary>Receives, acknowledges and counts until the connection ends.</summary>
    public async Task ReceiveAsync(Counter counter)
    {
        var answers = new List<byte>();
        try
        {
            while (true)
            {
                var count = 0;
                await ReadAsync((type, body) =>
                {
                    if ((type & 0xF0) == 0x30)
                    {
                        count++;
                        var qos = (type >> 1) & 3;
                        if (qos > 0)
                            answers.AddRange([qos == 1 ? (byte)0x40 : (byte)0x50, 2, body[6], body[7]]);
                    }
                    else if (type == 0x62)
                    {
                        answers.AddRange([0x70, 2, body[0], body[1]]);
                    }
                });
                counter.Add(count);
                if (answers.Count > 0)
                    await SendAsync(answers.ToArray());
                answers.Clear();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or EndOfStreamException)
        {
            // The measurement is over.
        }
    }

    public void Dispose() => _socket.Dispose();

    private static byte[] Packets(int qos, int count)
    {
        var packets = new List<byte>();
        for (var i = 1; i <= count; i++)
        {
            byte[] id = [0, 0];
            BinaryPrimitives.WriteUInt16BigEndian(id, (ushort)i);
            packets.AddRange([(byte)(0x30 | (qos << 1)), (byte)(6 + (qos > 0 ? 2 : 0) + Payload.Length), 0, 4, .. "DATA"u8]);
            if (qos > 0)
                packets.AddRange(id);
            packets.AddRange(System.Text.Encoding.ASCII.GetBytes(Payload));
        }
        return [.. packets];
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await _socket.SendAsync(bytes)..];
    }

    // Reads once, and shows all packets that are complete; all of them are shorter than 128 bytes.
    private async Task ReadAsync(Action<byte, ReadOnlySpan<byte>> show)
    {
        var read = await _socket.ReceiveAsync(_buffer.AsMemory(_have));
        if (read == 0)
            throw new EndOfStreamException();
        _have += read;
        var at = 0;
        while (_have - at >= 2 && _have - at >= 2 + _buffer[at + 1])
        {
            show(_buffer[at], _buffer.AsSpan(at + 2, _buffer[at + 1]));
            at += 2 + _buffer[at + 1];
        }
        _buffer.AsSpan(at, _have - at).CopyTo(_buffer);
        _have -= at;
    }
}

/// <summary>Counts messages.</summary>
internal sealed class Counter
{
    private long _value;

    public long Value => Interlocked.Read(ref _value);

    public void Add(int count) => Interlocked.Add(ref _value, count);
}
