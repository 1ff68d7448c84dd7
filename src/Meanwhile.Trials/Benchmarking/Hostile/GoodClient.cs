using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using HdrHistogram;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>
/// A client that does nothing wrong. It publishes a reading every few milliseconds at QoS 1, without waiting for earlier ones, and measures the time until each is
/// acknowledged. It has its own thread, so that it does not wait for the attackers in this process.
/// </summary>
internal sealed class GoodClient : IDisposable
{
    /// <summary>Its user name and client identifier.</summary>
    public const string User = "good";

    /// <summary>Its topic, with enough levels for a thousand different filters.</summary>
    public const string Topic = $"{AttackedServer.Topic}/a/b/c/d/e/f/g/h/i/good";

    /// <summary>An acknowledgement that takes longer counts as trouble.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(20);

    private const long LongestMicroseconds = 600_000_000;
    private const int Digits = 3;
    private const int MostInFlight = 2000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly int _port;
    private readonly TimeProvider _time;
    private readonly Task _publishing;
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _over = new();
    private readonly Queue<(int Identifier, long SentAt)> _inFlight = new();
    private readonly byte[] _buffer = new byte[1 << 14];
    private LongHistogram _latencies = New();
    private long _lastTrouble;
    private int _identifier;
    private int _length;

    public GoodClient(int port, TimeProvider time)
    {
        (_port, _time, _lastTrouble) = (port, time, time.GetTimestamp());
        _publishing = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The number of published readings.</summary>
    public long Sent { get; private set; }

    /// <summary>The number of acknowledged readings.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>Refusals and lost connections, in words.</summary>
    public List<string> Refusals { get; } = [];

    /// <summary>The times until acknowledgements since the last call, in microseconds. Readings that still wait count with their time so far.</summary>
    public LongHistogram Take()
    {
        lock (_gate)
        {
            foreach (var (_, sentAt) in _inFlight)
                _latencies.RecordValue(Age(sentAt));
            var latencies = _latencies;
            _latencies = New();
            return latencies;
        }
    }

    /// <summary>The time since the last trouble.</summary>
    public TimeSpan WellFor()
    {
        lock (_gate)
        {
            if (_inFlight.TryPeek(out var oldest) && _time.GetElapsedTime(oldest.SentAt) > Slow)
                return TimeSpan.Zero;
            return _time.GetElapsedTime(_lastTrouble);
        }
    }

    /// <summary>Stops publishing, and waits for the last acknowledgements.</summary>
    public Task EndAsync(CancellationToken stop)
    {
        _over.Set();
        return _publishing.WaitAsync(stop);
    }

    /// <inheritdoc/>
    public void Dispose() => _over.Set();

    private static LongHistogram New() => new(LongestMicroseconds, Digits);

    private long Age(long sentAt) => Math.Clamp((long)_time.GetElapsedTime(sentAt).TotalMicroseconds, 0, LongestMicroseconds);

    private void Run()
    {
        while (!_over.IsSet)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                _length = 0;
                socket.Connect(IPAddress.Loopback, _port);
                socket.Send(Packets.Connect(User, User));
                Publish(socket);
            }
            catch (SocketException e)
            {
                Lose(e.Message);
                _over.Wait(Pause);
            }
        }
    }

    private void Publish(Socket socket)
    {
        var start = _time.GetTimestamp();
        var last = TimeSpan.FromSeconds(5);
        for (var due = 0L; ; due++)
        {
            TimeSpan wait;
            while ((wait = (due * Interval) - _time.GetElapsedTime(start)) > TimeSpan.Zero || IsFull())
            {
                if (socket.Poll(wait > TimeSpan.Zero ? wait : Interval, SelectMode.SelectRead) && !Read(socket))
                    return;
            }
            if (_over.IsSet && (_inFlight.Count == 0 || (last -= Interval) < TimeSpan.Zero))
                return;
            if (!_over.IsSet)
                Send(socket);
        }
    }

    private bool IsFull() => _inFlight.Count == MostInFlight && !_over.IsSet;

    private void Send(Socket socket)
    {
        lock (_gate)
        {
            _identifier = (_identifier % ushort.MaxValue) + 1;
            _inFlight.Enqueue((_identifier, _time.GetTimestamp()));
            Sent++;
        }
        socket.Send(Packets.Publish(Topic, qos: 1, _identifier, Encoding.ASCII.GetBytes($"{Sent}")));
    }

    // False when the connection has ended.
    private bool Read(Socket socket)
    {
        var count = socket.Receive(_buffer.AsSpan(_length));
        if (count == 0)
        {
            Lose("it was closed");
            return false;
        }
        _length += count;
        var start = 0;
        lock (_gate)
        {
            while (PreparedPackets.CompleteLength(_buffer.AsSpan(start, _length - start), out var headerLength) is > 0 and var length)
            {
                Take(_buffer.AsSpan(start, length), headerLength);
                start += length;
            }
        }
        _buffer.AsSpan(start, _length - start).CopyTo(_buffer);
        _length -= start;
        return true;
    }

    private void Take(ReadOnlySpan<byte> packet, int headerLength)
    {
        if (packet[0] == PreparedPackets.ConnAck && packet[headerLength + 1] != 0)
            Refusals.Add($"it was not let in (0x{packet[headerLength + 1]:x2})");
        if (packet[0] != PreparedPackets.PubAck)
            return;
        if (packet.Length > headerLength + 2 && packet[headerLength + 2] >= 0x80)
            Refusals.Add($"a message was refused (0x{packet[headerLength + 2]:x2})");
        else
            Acknowledged++;
        var identifier = BinaryPrimitives.ReadUInt16BigEndian(packet[headerLength..]);
        while (_inFlight.TryDequeue(out var sent))
        {
            var age = Age(sent.SentAt);
            _latencies.RecordValue(age);
            if (age > Slow.TotalMicroseconds)
                _lastTrouble = _time.GetTimestamp();
            if (sent.Identifier == identifier)
                return; // Acknowledgements come in order [MQTT-4.6.0-2].
        }
    }

    private void Lose(string why)
    {
        lock (_gate)
        {
            if (!_over.IsSet)
                Refusals.Add($"its connection was lost ({why})");
            _inFlight.Clear();
            _lastTrouble = _time.GetTimestamp();
        }
    }
}
