using System.Net.Sockets;
using Meanwhile.Bench;

namespace Meanwhile.Path.Bench;

/// <summary>Cuts a stream into packets, as many at once as have come.</summary>
internal sealed class PacketReader(NetworkStream stream)
{
    private readonly byte[] _buffer = new byte[1 << 18];
    private int _end;

    /// <summary>Called with each packet and the length of its fixed header.</summary>
    public delegate void Handler(ReadOnlySpan<byte> packet, int headerLength);

    /// <summary>Waits for bytes, and hands out the packets that are complete with them. False when the stream has ended.</summary>
    public async ValueTask<bool> ReadAsync(Handler handle)
    {
        var count = await stream.ReadAsync(_buffer.AsMemory(_end));
        _end += count;
        var start = 0;
        while (RawPackets.CompleteLength(_buffer.AsSpan(start, _end - start), out var headerLength) is > 0 and var length)
        {
            handle(_buffer.AsSpan(start, length), headerLength);
            start += length;
        }
        _buffer.AsSpan(start, _end - start).CopyTo(_buffer);
        _end -= start;
        return count > 0;
    }
}
