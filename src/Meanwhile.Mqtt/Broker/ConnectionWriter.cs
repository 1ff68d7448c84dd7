using System.IO.Pipelines;
using System.Net.WebSockets;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>The only writer of a connection: answers, acknowledgements and messages, many to a write.</summary>
/// <param name="output">The connection.</param>
/// <param name="now">The clock.</param>
/// <param name="traffic">Counts what goes out.</param>
internal sealed class ConnectionWriter(PipeWriter output, Func<TimeSpan> now, TrafficCounters traffic) : IDisposable
{
    // Of one write, about. As much may wait in answers before nothing more is read from the client.
    private const int Enough = 64 * 1024;

    // Of a large payload, a client that does not read holds no more than this.
    private const int Piece = 32 * 1024;

    private readonly Lock _gate = new();
    private readonly Signal _work = new();
    private readonly Signal _room = new();
    private readonly PacketWriter _answers = new();
    private readonly PacketWriter _writer = new() { LendsPayloads = true };
    private volatile bool _isStopping;
    private volatile bool _isGivenUp;
    private volatile bool _isHeld;
    private DisconnectPacket? _lastWords;

    /// <summary>There may be something to send, or room for more: also while the client takes nothing.</summary>
    public void WakeUp()
    {
        _work.Set();
        _room.Set();
    }

    /// <summary>Nothing of the session's goes out for the moment: an answer is to come first.</summary>
    public void Hold() => _isHeld = true;

    /// <summary>It may go out again.</summary>
    public void GoOn()
    {
        _isHeld = false;
        WakeUp();
    }

    /// <summary>Nobody need wait for room any more.</summary>
    public void GiveUp()
    {
        _isGivenUp = true;
        _room.Set();
    }

    /// <summary>Waits until there may be room again since this was awaited last. Who has added something wakes it up before.</summary>
    /// <exception cref="OperationCanceledException">The connection is being closed.</exception>
    public async ValueTask RoomAsync()
    {
        await _room.WaitAsync();
        if (_isGivenUp)
            throw new OperationCanceledException();
    }

    /// <summary>Adds an answer.</summary>
    /// <returns>False when too many wait.</returns>
    public bool Add(Action<PacketWriter> write)
    {
        lock (_gate)
        {
            write(_answers);
            return _answers.Length < Enough;
        }
    }

    /// <summary>Adds an answer; a client that asks without listening waits.</summary>
    public async ValueTask AnswerAsync(Action<PacketWriter> write)
    {
        if (Add(write))
            return;
        WakeUp();
        while (!HasRoomForAnswer())
            await RoomAsync();
    }

    /// <summary>Acknowledgements go out, one more write of messages, then the last words, and that is all.</summary>
    public void Stop(DisconnectPacket? lastWords)
    {
        _lastWords = lastWords;
        _isStopping = true;
        WakeUp();
    }

    /// <summary>Writes what has to be said to a client without a session.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        Collect();
        await output.WriteAsync(_writer.Written, cancellationToken);
        _writer.Clear();
    }

    /// <summary>Writes until told to stop, or until the client takes nothing more.</summary>
    public async Task RunAsync(ClientSession session)
    {
        try
        {
            while (await WriteAllAsync(session))
                await _work.WaitAsync();
        }
        catch (Exception e) when (e is IOException or WebSocketException or InvalidOperationException or OperationCanceledException)
        {
            // The client is gone; the reader notices as well.
        }
        finally
        {
            GiveUp();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        _answers.Dispose();
    }

    // False when it was the last time.
    private async ValueTask<bool> WriteAllAsync(ClientSession session)
    {
        bool isLast, isAll;
        do
        {
            isLast = _isStopping;
            long messages;
            lock (session.Gate) // Messages are queued under it: those that are to come after an answer find it held, or the answer given.
            {
                var isHeld = _isHeld; // Before the answers are collected: what it waits for is among them when it is over.
                Collect();
                messages = -session.Sent;
                isAll = isHeld || session.Write(_writer, now(), Enough);
                messages += session.Sent;
            }
            _room.Set();
            if (_writer.Length == 0 && !isAll)
                await Task.Yield(); // Others want to go on: many messages were passed over.
            if (!await SendAsync(messages))
                return false;
        }
        while (!isAll && !isLast);
        if (!isLast)
            return true;
        _lastWords?.Write(_writer, ProtocolVersion.V5);
        await SendAsync(messages: 0);
        return false;
    }

    // False when the client takes nothing more.
    private async ValueTask<bool> SendAsync(long messages)
    {
        if (_writer.Length == 0)
            return true;
        traffic.Sent(_writer.Length, messages);
        var isOver = (await output.WriteAsync(_writer.Written, CancellationToken.None)).IsCompleted;
        for (var rest = _writer.Payload; rest.Length > 0 && !isOver; rest = rest[Math.Min(Piece, rest.Length)..])
            isOver = (await output.WriteAsync(rest[..Math.Min(Piece, rest.Length)], CancellationToken.None)).IsCompleted;
        _writer.Clear();
        return !isOver;
    }

    private bool HasRoomForAnswer()
    {
        lock (_gate)
            return _answers.Length < Enough;
    }

    private void Collect()
    {
        lock (_gate)
        {
            _writer.WriteBytes(_answers.Written.Span);
            _answers.Clear();
        }
    }
}
