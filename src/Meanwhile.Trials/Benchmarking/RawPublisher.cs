namespace Meanwhile.Trials.Benchmarking;

/// <summary>One publisher of a load.</summary>
internal sealed class RawPublisher : IDisposable
{
    private const int BlockBytes = 1 << 16;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly RawConnection _connection;
    private readonly int _firstSeries;
    private readonly LoadOptions _options;
    private readonly Sent _sent;
    private readonly TimeProvider _time;
    private readonly PublishTemplate _template;
    private readonly byte[] _block;
    private readonly int _blockMessages;
    private readonly AcknowledgementBuffer _answers = new();
    private int _inFlight;
    private int _nextIdentifier = 1;
    private int _nextSeries;

    public RawPublisher(RawConnection connection, int number, LoadOptions options, Sent sent, TimeProvider time)
    {
        (_connection, _firstSeries, _options, _sent, _time, _nextSeries) = (connection, number % options.Series, options, sent, time, number % options.Series);
        _template = new PublishTemplate(options.Topic, options.Qos, options.Bytes);
        _blockMessages = Math.Clamp(BlockBytes / _template.Length, 1, options.InFlight);
        _block = new byte[_blockMessages * _template.Length];
    }

    /// <summary>Publishes at most so many, until it is over, and returns when all are acknowledged.</summary>
    public async Task RunAsync(int most, Func<bool> isOver, Func<bool> hasRoom, CancellationToken stop)
    {
        var left = most;
        while (true)
        {
            var isSending = left > 0 && !isOver();
            var count = isSending && hasRoom() ? Math.Min(Math.Min(_options.InFlight - _inFlight, _blockMessages), left) : 0;
            if (count > 0)
            {
                await SendAsync(count, stop);
                left -= count;
            }
            else if (_inFlight > 0)
            {
                await ReadAsync(stop);
            }
            else if (isSending)
            {
                await Task.Delay(Moment, _time, stop);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>Publishes so many as soon as they may be in flight.</summary>
    public async ValueTask PublishAsync(int messages, CancellationToken stop)
    {
        while (messages > 0)
        {
            var count = Math.Min(Math.Min(_options.InFlight - _inFlight, _blockMessages), messages);
            if (count > 0)
                await SendAsync(count, stop);
            else
                await ReadAsync(stop);
            messages -= count;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private async ValueTask SendAsync(int count, CancellationToken stop)
    {
        lock (_sent) // Series may be shared.
            Write(count);
        _sent.Add(count); // Before somebody can have received it.
        await _connection.SendAsync(_block.AsMemory(0, count * _template.Length), stop);
        if (_options.Qos > 0)
            _inFlight += count;
    }

    private void Write(int count)
    {
        _template.SetTime(_time.GetUtcNow().ToUnixTimeSeconds());
        for (var i = 0; i < count; i++)
        {
            _template.Write(_block.AsSpan(i * _template.Length), (ushort)_nextIdentifier, _nextSeries, _sent.Next(_nextSeries));
            _nextIdentifier = _nextIdentifier == _options.InFlight ? 1 : _nextIdentifier + 1; // Acknowledgements come in order [MQTT-4.6.0-2].
            _nextSeries += _options.Publishers;
            if (_nextSeries >= _options.Series)
                _nextSeries = _firstSeries;
        }
    }

    private async ValueTask ReadAsync(CancellationToken stop)
    {
        var done = 0;
        await _connection.ReadAsync(
            (packet, headerLength) =>
            {
                if (packet[0] is PreparedPackets.PubAck or PreparedPackets.PubComp)
                    done++;
                else if (packet[0] == PreparedPackets.PubRec)
                    _answers.Add(PreparedPackets.PubRel, packet[headerLength..]);
            },
            stop);
        _inFlight -= done;
        _sent.Acknowledge(done);
        await _answers.SendAsync(_connection, stop);
    }
}
