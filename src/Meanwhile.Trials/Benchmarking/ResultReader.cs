using System.Buffers.Text;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Subscribes to results, and keeps of each series what the last one says.</summary>
internal sealed class ResultReader : IAsyncDisposable
{
    private readonly RawConnection _connection;
    private readonly CancellationTokenSource _closing = new();
    private readonly AcknowledgementBuffer _answers = new();
    private readonly Action<long>? _moved;
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private long _processed;
    private long _results;

    private ResultReader(RawConnection connection, int series, Action<long>? moved)
    {
        (_connection, _moved) = (connection, moved);
        (Counts, Means) = (new long[series], new double[series]);
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>How many readings the last result of each series counts; results that count none, one each.</summary>
    public long[] Counts { get; }

    /// <summary>The mean over the longest window in the last result of each series.</summary>
    public double[] Means { get; }

    /// <summary>The sum of all counts.</summary>
    public long Processed => Interlocked.Read(ref _processed);

    /// <summary>How many results have come.</summary>
    public long Results => Interlocked.Read(ref _results);

    /// <summary>Subscribes.</summary>
    /// <param name="moved">Told of <see cref="Processed"/> whenever it has grown, in the reader's own thread.</param>
    public static async Task<ResultReader> StartAsync(Target broker, string statsTopic, int series, Action<long>? moved, CancellationToken stop)
    {
        var connection = await RawConnection.SubscribeAsync(broker, $"bench-{Guid.NewGuid():n}"[..16], version: 4, statsTopic + "/#", qos: 1, stop);
        var reader = new ResultReader(connection, series, moved);
        await reader._subscribed.Task.WaitAsync(stop);
        return reader;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _reading;
        _connection.Dispose();
        _closing.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (true)
            {
                var before = _processed;
                await _connection.ReadAsync(Take, _closing.Token);
                if (_answers.IsSubscribed)
                    _subscribed.TrySetResult();
                if (_processed != before)
                    _moved?.Invoke(_processed);
                await _answers.SendAsync(_connection, _closing.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or TrialException)
        {
            _subscribed.TrySetException(e); // Later on: told to stop, or the broker has gone; what is missing is found by who waits for it.
        }
    }

    private void Take(ReadOnlySpan<byte> packet, int headerLength)
    {
        if (!_answers.Take(packet, headerLength))
            return;
        var topicLength = AcknowledgementBuffer.TopicLength(packet, headerLength);
        var topic = packet.Slice(headerLength + 2, topicLength);
        var payload = packet[(headerLength + 2 + topicLength + ((packet[0] & 0x06) > 0 ? 2 : 0))..];
        var series = Math.Max(PublishTemplate.SeriesOf(topic), 0);
        if (series >= Counts.Length)
            return; // Of a series that we have only stored.
        var count = Member(payload, "\"count_30min\": "u8) is { } counted ? (long)counted : Counts[series] + 1;
        Means[series] = Member(payload, "\"avg_30min\": "u8) ?? double.NaN;
        var more = count - Counts[series];
        Counts[series] = count;
        Interlocked.Add(ref _processed, more); // After the counts: who waits for these looks at them then.
        Interlocked.Increment(ref _results);
    }

    private static double? Member(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> name)
    {
        var at = payload.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(payload[(at + name.Length)..], out double value, out _) ? value : null;
    }
}
