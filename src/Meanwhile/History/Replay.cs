using Meanwhile.Mqtt.Wire;
using Meanwhile.Pipeline;
using Meanwhile.Stores;

namespace Meanwhile.History;

/// <summary>Judges quarantined messages anew: what is a reading now is committed, and leaves the quarantine in the same transaction.</summary>
/// <param name="store">Its owner is this process.</param>
/// <param name="options">How payloads are read.</param>
internal sealed class Replay(IStore store, AggregatorOptions options)
{
    private const int LargestBatch = 4096;

    private readonly ReadingFactory _readings = new(options);
    private readonly Batch _batch = new();

    /// <summary>Readings that were committed.</summary>
    public long Committed { get; private set; }

    /// <summary>Readings whose identity was known: they left the quarantine, and count once.</summary>
    public long Known { get; private set; }

    /// <summary>Messages that stay.</summary>
    public long Stayed { get; private set; }

    /// <summary>Replays messages, each as of its own arrival.</summary>
    /// <param name="messages">In the order of their numbers.</param>
    /// <param name="now">Milliseconds since the Unix epoch.</param>
    /// <param name="stays">Called with each message that stays, and the reason.</param>
    public async Task RunAsync(IEnumerable<QuarantinedMessage> messages, long now, Action<long, string> stays, CancellationToken stop)
    {
        var oldest = now - (long)options.Retention.TotalMilliseconds;
        foreach (var (number, message) in messages)
        {
            var isReading = _readings.TryCreate(message.Topic, message.Payload, message.Arrived, now, out var reading, out var reason);
            if (isReading && FaultOf(message.Topic) is { } fault)
                reason = fault;
            else if (isReading && reading.Time < oldest)
                reason = "it is a reading, but older than the retention";
            if (reason is not null)
            {
                Stayed++;
                stays(number, reason == ReadingParser.NotUtf8 ? Utf8Text.FaultOf(message.Payload.Span) ?? reason : reason);
                continue;
            }
            _batch.Readings.Add(reading);
            _batch.TakenFromQuarantine.Add(number);
            if (_batch.Readings.Count == LargestBatch)
                await CommitAsync(stop);
        }
        await CommitAsync(stop);
    }

    // Whoever has put U+FFFD in the place of bytes may have made one name of two.
    private static string? FaultOf(string topic) => topic.Contains('\uFFFD', StringComparison.Ordinal) ? "the topic contains U+FFFD, which stands for bytes that are not UTF-8" : Topic.FaultOf(topic);

    private async Task CommitAsync(CancellationToken stop)
    {
        Known += (await store.CommitAsync(_batch, default, stop)).Known; // Deletes nothing: how long readings are kept is the aggregator's affair.
        Committed += _batch.Readings.Count;
        _batch.Clear();
    }
}
