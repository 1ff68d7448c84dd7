using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>A broker as bare programs reach it.</summary>
/// <param name="UserName">Null for none.</param>
/// <param name="Password">Null for none.</param>
internal sealed record Target(string Host, int Port, string? UserName = null, byte[]? Password = null)
{
    /// <summary>One on this machine.</summary>
    public static Target Local(int port) => new(IPAddress.Loopback.ToString(), port);

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"mqtt://[{Host}]:{Port}" : $"mqtt://{Host}:{Port}";
}

/// <summary>A connection that sends prepared bytes, and cuts what comes into packets, as many at once as have come.</summary>
internal sealed class RawConnection(Socket socket) : IDisposable
{
    private const int SocketBuffer = 1 << 20;
    private byte[] _buffer = new byte[4096];
    private int _end;

    /// <summary>Called with each packet and the length of its fixed header.</summary>
    public delegate void Handler(ReadOnlySpan<byte> packet, int headerLength);

    /// <summary>Connects to a broker and is let in.</summary>
    /// <param name="version">4 or 5.</param>
    /// <exception cref="TrialException">It is not.</exception>
    public static Task<RawConnection> ConnectAsync(Target broker, string clientId, byte version, CancellationToken stop) =>
        ConnectAsync(broker, PreparedPackets.ConnectTo(broker, clientId, version), clientId, stop);

    /// <summary>Connects to a broker with a CONNECT of one's own, and is let in.</summary>
    /// <exception cref="TrialException">It is not.</exception>
    public static async Task<RawConnection> ConnectAsync(Target broker, ReadOnlyMemory<byte> connect, string clientId, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = SocketBuffer, ReceiveBufferSize = SocketBuffer };
        var connection = new RawConnection(socket);
        try
        {
            await socket.ConnectAsync(broker.Host, broker.Port, stop);
            await connection.SendAsync(connect, stop);
            var answer = -1;
            await connection.ReadOneAsync((packet, headerLength) => answer = packet[headerLength + 1], stop);
            if (answer != 0)
                throw new TrialException($"{broker} does not let '{clientId}' in (code {answer}): check MQTT_USERNAME and MQTT_PASSWORD_FILE");
            return connection;
        }
        catch (Exception e)
        {
            connection.Dispose();
            if (e is SocketException)
                throw new TrialException($"{broker} cannot be reached ({e.Message}): expected a broker there", inner: e);
            throw;
        }
    }

    /// <summary>Connects and asks for messages, which may come before the broker's answer; <see cref="AcknowledgementBuffer.Take"/> looks at that.</summary>
    /// <exception cref="TrialException">It is not let in.</exception>
    public static async Task<RawConnection> SubscribeAsync(Target broker, string clientId, byte version, string filter, int qos, CancellationToken stop)
    {
        var connection = await ConnectAsync(broker, clientId, version, stop);
        await connection.SendAsync(PreparedPackets.SubscribeTo(filter, qos, version), stop);
        return connection;
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="TrialException">The connection is lost.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await socket.SendAsync(bytes, stop)..];
        }
        catch (SocketException e)
        {
            throw Lost(e.Message);
        }
    }

    /// <summary>Waits for bytes, and hands out the packets that are complete with them.</summary>
    /// <exception cref="TrialException">The connection is lost.</exception>
    public async ValueTask ReadAsync(Handler handle, CancellationToken stop)
    {
        if (HandOut(handle, most: int.MaxValue) == 0)
        {
            await FillAsync(stop);
            HandOut(handle, most: int.MaxValue);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    // What comes right behind it is left for whoever reads next.
    private async ValueTask ReadOneAsync(Handler handle, CancellationToken stop)
    {
        while (HandOut(handle, most: 1) == 0)
            await FillAsync(stop);
    }

    private async ValueTask FillAsync(CancellationToken stop)
    {
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, 2 * _end); // One packet is longer.
        try
        {
            var count = await socket.ReceiveAsync(_buffer.AsMemory(_end), stop);
            _end += count > 0 ? count : throw Lost("it was closed");
        }
        catch (SocketException e)
        {
            throw Lost(e.Message);
        }
    }

    private static TrialException Lost(string why) => new($"the connection to a broker, or to what stands for one, is lost ({why})");

    private int HandOut(Handler handle, int most)
    {
        var (start, packets) = (0, 0);
        while (packets < most && PreparedPackets.CompleteLength(_buffer.AsSpan(start, _end - start), out var headerLength) is > 0 and var length)
        {
            handle(_buffer.AsSpan(start, length), headerLength);
            start += length;
            packets++;
        }
        if (packets == 0)
            return 0;
        if (_end == _buffer.Length && _buffer.Length < SocketBuffer)
            Array.Resize(ref _buffer, 2 * _buffer.Length); // More comes at once than was thought.
        _buffer.AsSpan(start, _end - start).CopyTo(_buffer);
        _end -= start;
        return packets;
    }
}
