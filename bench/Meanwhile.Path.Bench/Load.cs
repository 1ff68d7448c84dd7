using System.Net.Sockets;
using Meanwhile.Bench;

namespace Meanwhile.Path.Bench;

/// <summary>A publisher at QoS 1 of packets that are prepared, so that it costs next to nothing.</summary>
internal sealed class Load : IAsyncDisposable
{
    private const int InFlight = 500;
    private const int Block = 50;
    private readonly NetworkStream _stream;
    private readonly PacketReader _reader;
    private int _acknowledged;
    private ushort _lastId;

    private readonly string[] _topics;

    private Load(NetworkStream stream, string[] topics) => (_stream, _reader, _topics) = (stream, new PacketReader(stream), topics);

    /// <summary>Connects.</summary>
    /// <param name="topics">Published to in turn; DATA when there are none.</param>
    public static async Task<Load> StartAsync(int port, params string[] topics)
    {
        var load = new Load(await RawPackets.ConnectAsync(port), topics.Length == 0 ? ["DATA"] : topics);
        await load._stream.WriteAsync(RawPackets.Connect("load", 4));
        await load._reader.ReadAsync((_, _) => { });
        return load;
    }

    /// <summary>Publishes so many messages and returns when the broker has acknowledged them.</summary>
    /// <param name="seconds">The time of all of them, since the Unix epoch.</param>
    public async Task PublishAsync(int messages, long seconds)
    {
        _acknowledged = 0;
        for (var sent = 0; sent < messages;)
        {
            List<byte> block = [];
            for (var i = 0; i < Block && sent < messages; i++, sent++)
                block.AddRange(RawPackets.Publish(_topics[sent % _topics.Length], NextId(), RawPackets.Reading((sent % 90) + 10, seconds)));
            await _stream.WriteAsync(block.ToArray());
            while (sent - _acknowledged > InFlight)
                await _reader.ReadAsync(Count);
        }
        while (_acknowledged < messages)
            await _reader.ReadAsync(Count);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void Count(ReadOnlySpan<byte> packet, int headerLength) => _acknowledged += packet[0] == 0x40 ? 1 : 0;

    private ushort NextId() => _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
}
