using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Threading.Channels;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>One network connection, from its first byte to its last.</summary>
/// <param name="transport">What it goes over.</param>
/// <param name="peer">Its other end.</param>
/// <param name="parts">What all connections share.</param>
/// <param name="guard">Tells whoever speaks no MQTT that it has the wrong port; null where that cannot be.</param>
internal sealed class Connection(Transport transport, Peer peer, BrokerParts parts, PortGuard? guard = null) : IDisposable
{
    // What is read of a client that was not let in and goes on sending: whoever sends a CONNECT that is only somewhat too long is told so.
    private const int MostFromStrangers = 256 * 1024;

    // In which its client has to take its last words once the broker is being stopped.
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(2);

    // However often a client wants to show that it is there: it cannot, while nothing is read from it.
    private static readonly TimeSpan ShortestStall = TimeSpan.FromMinutes(1);

    private readonly IDuplexPipe _pipe = transport.Pipe;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closing = new();
    private readonly ConnectionReader _reader = new(transport, parts);
    private readonly ConnectionWriter _output = new(transport.Pipe.Output, parts.Now, parts.Traffic);
    private Handshake? _handshake;
    private volatile int _closeReason = -1;
    private string _closeExplanation = "";
    private TimeSpan _patience = parts.Limits.ConnectTimeout;
    private TimeSpan? _leftAt;
    private bool _isRefused;

    /// <summary>Completes when the connection is over and its session is free.</summary>
    public Task Ended => _ended.Task;

    private PacketHandler? Packets => _handshake?.Packets;

    /// <summary>Ends the connection. The first reason counts; a 5.0 client is told, in words if it asks for them.</summary>
    public void Close(ReasonCode reason, string explanation)
    {
        lock (_gate)
        {
            if (_closeReason >= 0)
                return;
            (_closeReason, _closeExplanation) = ((int)reason, explanation);
            if (reason is not (ReasonCode.Success or ReasonCode.ServerShuttingDown))
                parts.Refused(new Refusal(RefusalKind.Connection, _handshake?.ClientId ?? "", reason, explanation));
            _reader.Close();
            _output.GiveUp();
            _ = _closing.CancelAsync();
        }
    }

    /// <summary>Closes it when its client may not stay, or when nothing has come for too long [MQTT-3.1.2-22]. A full queue is the host's slowness, not the client's silence.</summary>
    public void Check(TimeSpan now)
    {
        if (Packets?.Session.Permissions.MayStay() == false)
            Close(ReasonCode.NotAuthorized, "it may not stay any longer");
        if (_reader.IsHandingOver)
            CheckStalled(now);
        else if (now - _reader.LastReceived > _patience)
            Close(ReasonCode.KeepAliveTimeout, $"nothing has come for {_patience.TotalSeconds:0.#} seconds");
    }

    /// <summary>Serves the client until either side ends it.</summary>
    public async Task RunAsync()
    {
        var writing = Task.CompletedTask;
        transport.Visitor.Close = Close;
        try
        {
            if (await IsMeantAsync() && await _reader.ReadAsync(FirstPacketAsync))
            {
                await Task.Yield(); // What it has sent behind CONNECT, and what waits for it, is a client's work: others who want to be let in need not wait for it.
                writing = WriteAsync(Packets!.Session);
                await _reader.ReadAsync(Packets.HandleAsync);
            }
        }
        catch (ProtocolException e)
        {
            Close(e.Reason, e.Message);
            _isRefused = true;
        }
        catch (ChannelClosedException)
        {
            // Nothing is taken in any more; but what was can still be acknowledged.
            await Task.Delay(Timeout.InfiniteTimeSpan, parts.Time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (e is IOException or WebSocketException or OperationCanceledException)
        {
            // The network's end, or the broker's.
        }
        catch (Exception e)
        {
            Fault(e);
        }
        finally
        {
            await using var cutOff = parts.Time.CreateTimer(_ => transport.Abort(), null, parts.Limits.ConnectTimeout, Timeout.InfiniteTimeSpan); // Whoever does not take its last words in time.
            await using var hurry = parts.Stopping.Register(() => cutOff.Change(LastMoment, Timeout.InfiniteTimeSpan));
            _output.Stop(_closeReason > 0 && Packets?.Terms is { Version: ProtocolVersion.V5 } terms ? LastWords(terms) : null);
            await writing; // What was completed is acknowledged before the connection ends.
            Leave();
            if (_isRefused || _closeReason is not (-1 or (int)ReasonCode.Success or (int)ReasonCode.ServerShuttingDown))
                await transport.LingerAsync(parts, Packets is null ? MostFromStrangers : long.MaxValue);
            await _pipe.Input.CompleteAsync();
            await _pipe.Output.CompleteAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _closeReason = Math.Max(_closeReason, 0); // Closed from here on.
            _closing.Dispose();
            _output.Dispose();
        }
    }

    // False when it speaks another protocol, or is being closed.
    private async ValueTask<bool> IsMeantAsync()
    {
        if (guard is not null && await guard.LookAsync(_pipe.Input, CancellationToken.None) is { } stranger)
        {
            parts.Refused(stranger.Refusal(peer.Address));
            Close(ReasonCode.Success, "");
            _isRefused = true;
            _output.Add(writer => writer.WriteBytes(stranger.Answer.Span));
            await _output.FlushAsync(CancellationToken.None);
        }
        return _closeReason < 0;
    }

    // Whoever has gone while it waited for the host gets some time more, for what it has sent. Whether it has cannot be seen when it has sent very much: so nobody
    // waits for ever.
    private void CheckStalled(TimeSpan now)
    {
        if (transport.HasLeft())
            _leftAt ??= now;
        var longest = _patience > parts.Limits.KeepAlive ? parts.Limits.KeepAlive : _patience;
        if (now - _leftAt > parts.Limits.ConnectTimeout)
            Close(ReasonCode.Success, "");
        else if (now - _reader.LastReceived > (longest > ShortestStall ? longest : ShortestStall))
            Close(ReasonCode.ServerBusy, "what it has sent could not be taken in for too long");
    }

    private async Task WriteAsync(ClientSession session)
    {
        try
        {
            await _output.RunAsync(session);
        }
        catch (Exception e)
        {
            Fault(e);
        }
    }

    // What should not have happened ends this connection, is said, and harms nobody else.
    private void Fault(Exception e) => Close(ReasonCode.UnspecifiedError, $"an error of the broker's own, please report it ({e.GetType().Name}: {e.Message})");

    private void Leave()
    {
        try
        {
            parts.Sessions.Leave(this, Packets?.Session, Packets?.WillLeft(), Packets?.Terms.SessionExpiry ?? 0, parts.Now());
        }
        catch (Exception e)
        {
            parts.Fail(e);
        }
        transport.Visitor.Return();
        _ended.SetResult();
    }

    private async ValueTask<bool> FirstPacketAsync(Frame frame)
    {
        _handshake = new Handshake(this, transport.Visitor, peer, parts, _closing.Token);
        var isAccepted = await _handshake.AnswerAsync(frame, _output);
        if (isAccepted)
        {
            _reader.Accept(Packets!);
            _patience = Packets!.KeepAlive * 1.5;
            transport.Visitor.Accept();
        }
        else
        {
            _isRefused = true;
            Close(ReasonCode.Success, "");
        }
        return isAccepted;
    }

    // In words for a client that asks for them, and that takes a packet as large [MQTT-3.14.2-3].
    private DisconnectPacket LastWords(Terms terms)
    {
        var lastWords = new DisconnectPacket(PacketType.Disconnect, (ReasonCode)_closeReason);
        using var writer = new PacketWriter();
        var inWords = lastWords with { Properties = terms.IsCurious && _closeReason != (int)ReasonCode.UnspecifiedError ? DisconnectPacket.Why(_closeExplanation) : default };
        inWords.Write(writer, ProtocolVersion.V5);
        return writer.Length <= terms.MaximumPacketSize ? inWords : lastWords;
    }
}
