using System.Net.Sockets;
using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Mqtt.Bench;

/// <summary>A client of few instructions: reads what has come, looks at each packet, and answers with bytes that are prepared. One thread.</summary>
internal class Peer : IDisposable
{
    private const int ShortestPacket = 2;

    // One is read into after the other.
    [ThreadStatic]
    private static byte[]? _shared;

    private byte[] _left = [];
    private byte[] _output = new byte[64];
    private int _start;
    private int _end;

    /// <summary>Connects and waits for CONNACK.</summary>
    public Peer(int port, string clientId, int bufferSize)
        : this(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
    {
        Socket.ReceiveBufferSize = Socket.SendBufferSize = bufferSize;
        Socket.Connect("127.0.0.1", port);
        Ask(PreparedPackets.ConnectTo(Target.Local(port), clientId, version: 4));
    }

    /// <summary>On a connection that is there, or is to be made.</summary>
    protected Peer(Socket socket)
    {
        Socket = socket;
        Socket.NoDelay = true;
    }

    /// <summary>The connection.</summary>
    public Socket Socket { get; }

    /// <summary>Not all that it has to say has found room in the socket.</summary>
    public bool WaitsForRoom { get; private set; }

    /// <summary>Told when that changes.</summary>
    public Action? RoomIsMissing { get; set; }

    /// <summary>Sends a packet, and waits for its answer.</summary>
    public void Ask(byte[] packet)
    {
        Socket.Send(packet);
        var answer = new byte[64];
        for (var have = 0; have < ShortestPacket || have < ShortestPacket + answer[1];)
            have += Socket.Receive(answer.AsSpan(have)) is > 0 and var read ? read : throw new EndOfStreamException();
    }

    /// <summary>From here on it waits for nothing.</summary>
    public void Begin() => Socket.Blocking = false;

    /// <summary>Reads what has come.</summary>
    public void Read()
    {
        var buffer = _shared ??= new byte[1 << 18];
        _left.CopyTo(buffer, 0);
        var read = Socket.Receive(buffer.AsSpan(_left.Length), SocketFlags.None, out var error);
        if (error is SocketError.WouldBlock)
            return;
        if (read <= 0)
            throw new EndOfStreamException($"the broker has closed a connection: {error}");
        var (at, end) = (0, _left.Length + read);
        while (end - at >= ShortestPacket && end - at >= ShortestPacket + buffer[at + 1]) // All of them are shorter than 128 bytes.
        {
            Handle(buffer[at], buffer.AsSpan(at + ShortestPacket, buffer[at + 1]));
            at += ShortestPacket + buffer[at + 1];
        }
        _left = at == end ? [] : buffer[at..end];
        AfterRead();
        Flush();
    }

    /// <summary>Sends what waits, as far as there is room.</summary>
    public void Flush()
    {
        while (_end > _start)
        {
            var sent = Socket.Send(_output.AsSpan(_start, _end - _start), SocketFlags.None, out var error);
            if (error is SocketError.WouldBlock)
                break;
            if (error is not SocketError.Success)
                throw new SocketException((int)error);
            _start += sent;
        }
        if (_start == _end)
            _start = _end = 0;
        if (WaitsForRoom == _end > 0)
            return;
        WaitsForRoom = _end > 0;
        RoomIsMissing?.Invoke();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A packet has come.</summary>
    protected virtual void Handle(byte type, ReadOnlySpan<byte> body)
    {
    }

    /// <summary>All that has come was handled.</summary>
    protected virtual void AfterRead()
    {
    }

    /// <summary>Adds to what is to be sent.</summary>
    protected void Say(ReadOnlySpan<byte> bytes)
    {
        if (_output.Length - _end < bytes.Length)
        {
            _output.AsSpan(_start, _end - _start).CopyTo(_output);
            (_start, _end) = (0, _end - _start);
            if (_output.Length - _end < bytes.Length)
                Array.Resize(ref _output, Math.Max(_output.Length * 2, _end + bytes.Length));
        }
        bytes.CopyTo(_output.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Closes the connection.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Socket.Dispose();
    }
}
