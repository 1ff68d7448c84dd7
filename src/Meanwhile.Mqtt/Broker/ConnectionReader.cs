using System.Buffers;
using System.IO.Pipelines;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Reads the packets of one connection, and has each handled in its turn.</summary>
/// <param name="transport">What it goes over.</param>
/// <param name="parts">What all connections share.</param>
internal sealed class ConnectionReader(Transport transport, BrokerParts parts)
{
    // After so many bytes, other connections get the thread: a client that sends all the time would keep it.
    private const int LongestTurn = 128 * 1024;

    private readonly PipeReader _input = transport.Pipe.Input;
    private PacketHandler? _packets;
    private volatile bool _isHandingOver;
    private volatile bool _isClosed;
    private long _turn;

    /// <summary>When something came last, or went on.</summary>
    public TimeSpan LastReceived { get; private set; } = parts.Now();

    /// <summary>What has come waits for the host: nothing is read meanwhile.</summary>
    public bool IsHandingOver => _isHandingOver;

    /// <summary>The client is let in.</summary>
    public void Accept(PacketHandler packets) => (_packets, LastReceived) = (packets, parts.Now());

    /// <summary>Reads no more.</summary>
    public void Close()
    {
        _isClosed = true;
        _input.CancelPendingRead();
    }

    /// <summary>Reads until a handler has had enough.</summary>
    /// <returns>False at the end of the stream, or when the connection is being closed.</returns>
    public async Task<bool> ReadAsync(Func<Frame, ValueTask<bool>> handleAsync)
    {
        while (true)
        {
            var read = await _input.ReadAsync(CancellationToken.None);
            var buffer = read.Buffer;
            var (isEnough, length, messages) = (false, buffer.Length, 0);
            if (_packets is not null) // Before CONNECT has come, bytes are no sign of life.
                LastReceived = parts.Now();
            _packets?.Received = parts.Time.GetUtcNow();
            try
            {
                while (!isEnough && !_isClosed && TryRead(ref buffer, out var frame))
                {
                    messages += frame.Type == PacketType.Publish ? 1 : 0;
                    var handling = handleAsync(frame);
                    _isHandingOver = !handling.IsCompleted;
                    isEnough = await handling;
                    if (_isHandingOver)
                        LastReceived = parts.Now(); // It goes on.
                }
            }
            finally
            {
                parts.Traffic.Received(length - buffer.Length, messages);
                _packets?.WakeUp();
                try
                {
                    await HandOverAsync();
                }
                finally
                {
                    if (_isClosed)
                        buffer = buffer.Slice(buffer.End); // Nobody reads it any more.
                    transport.Visitor.Hold(isEnough ? 0 : buffer.Length);
                    _input.AdvanceTo(buffer.Start, isEnough ? buffer.Start : buffer.End);
                }
            }
            if (isEnough)
                return true;
            if (read.IsCompleted || _isClosed)
                return false;
            if ((_turn += length) > LongestTurn)
            {
                _turn = 0;
                await Task.Yield();
            }
        }
    }

    // Of a CONNECT that is too long, what tells its version is enough.
    private bool TryRead(ref ReadOnlySequence<byte> buffer, out Frame frame) => _packets is { Terms.Version: var version }
        ? Frame.TryRead(ref buffer, parts.Limits.PacketSize, version, out frame)
        : Frame.TryReadFirst(ref buffer, BrokerLimits.ConnectSize, out frame);

    private async ValueTask HandOverAsync()
    {
        var handing = _packets?.FlushAsync() ?? ValueTask.CompletedTask;
        try
        {
            _isHandingOver = !handing.IsCompleted;
            await handing;
        }
        finally
        {
            _isHandingOver = false;
        }
    }
}
