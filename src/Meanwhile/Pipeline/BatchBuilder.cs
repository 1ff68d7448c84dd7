using System.Text;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Stores;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Pipeline;

/// <summary>Sorts deliveries into a batch: readings, messages that are none, and what needs no more than an acknowledgement.</summary>
/// <param name="options">What is read out of messages.</param>
/// <param name="ledger">Counts them.</param>
/// <param name="quota">Limits the number of series.</param>
/// <param name="hasReadings">Whether a topic has brought readings.</param>
internal sealed class BatchBuilder(AggregatorOptions options, Ledger ledger, SeriesQuota quota, Func<string, bool> hasReadings, ILogger logger, LogLimiter limiter)
{
    private const string IsEmpty = "the payload is empty, as that of a message which clears a retained one";

    private const string NotAskedFor = "it matches no filter in force: an earlier run with this client id, or another client, has left a subscription at the broker";

    private readonly ReadingFactory _readings = new(options);

    /// <summary>What the next commit makes durable.</summary>
    public Batch Batch { get; } = new();

    /// <summary>What the next commit settles; acknowledged after it.</summary>
    public List<Delivery> Deliveries { get; } = [];

    private int _duplicates;
    private int _expired;
    private int _ignored;
    private int _unexpected;

    /// <summary>Takes a delivery into the batch.</summary>
    /// <param name="delivery">What came.</param>
    /// <param name="cutoff">Where the retention starts; milliseconds since the Unix epoch.</param>
    public void Add(in Delivery delivery, long cutoff)
    {
        if (delivery.Kind == DeliveryKind.SessionChange)
        {
            Settle(delivery);
            return;
        }
        if (options.IsResultTopic(delivery.Topic))
        {
            Settle(delivery with { Kind = DeliveryKind.SessionChange }); // Acknowledged, but no message of the ledger's.
            PassOverOwnResult(delivery.Topic);
            return;
        }

        var (reading, fault, isWithinQuota) = (default(Reading), default(string), true);
        if (delivery.Kind == DeliveryKind.Message && !delivery.Payload.IsEmpty
            && _readings.TryCreate(delivery.Topic, delivery.Payload, delivery.Arrived, delivery.Arrived, out reading, out fault)
            && reading.Time >= cutoff)
        {
            isWithinQuota = (fault = quota.Take(reading.Series, delivery.Client)) is null;
        }
        if (!isWithinQuota && delivery.CanBeRefused)
        {
            Deliveries.Add(delivery with { Kind = DeliveryKind.Refused }); // Nothing of it is stored, so the ledger has not received it.
            SayQuotaReached(fault!, "refused", delivery.Topic);
            return;
        }
        Settle(delivery);
        ledger.Receive(delivery.Dup);
        if (logger.IsEnabled(LogLevel.Debug))
            Log.Received(logger, delivery.Topic, Encoding.UTF8.GetString(delivery.Payload.Span));
        if (delivery.Kind == DeliveryKind.Redelivery)
            _duplicates++;
        else if (delivery.Kind == DeliveryKind.Surplus)
            Ignore(delivery.Topic, NotAskedFor);
        else if (delivery.Payload.IsEmpty)
            Ignore(delivery.Topic, IsEmpty);
        else if (fault is not null)
            Quarantine(delivery, fault, isWithinQuota);
        else if (reading.Time < cutoff)
            Expire(delivery.Topic);
        else
            Batch.Readings.Add(reading);
    }

    /// <summary>The batch is durable: the ledger says so.</summary>
    public void RecordCommit(CommitReport report)
    {
        ledger.RecordCommit(Batch.Readings.Count, Batch.Quarantined.Count, _duplicates + report.Known, _expired, _ignored);
        ledger.RecordUnexpected(_unexpected);
        if (report.Dropped == 0)
            return;
        ledger.DropFromQuarantine(report.Dropped);
        if (limiter.MayLog(nameof(report.Dropped), out _))
            Log.DroppedFromQuarantine(logger, report.Dropped, ledger.DroppedFromQuarantine); // The total says how many were left out.
    }

    /// <summary>Makes room for the next batch.</summary>
    public void Clear()
    {
        Batch.Clear();
        Deliveries.Clear();
        _duplicates = _expired = _ignored = _unexpected = 0;
    }

    private void Settle(in Delivery delivery)
    {
        Deliveries.Add(delivery);
        if (delivery.IdChange.Kind != default)
            Batch.IdChanges.Add(new(delivery.Client ?? "", delivery.IdChange));
        if (delivery.IdChange.Kind == IdChangeKind.AllForgotten)
            Batch.Subscription = null; // With the session, the subscription that came before it in this batch is gone.
        if (delivery.Subscription is { } filter)
            Batch.Subscription = filter;
    }

    private void Quarantine(in Delivery delivery, string reason, bool isWithinQuota)
    {
        Batch.Quarantined.Add(new RejectedMessage(delivery.Arrived, delivery.Topic, delivery.Payload, reason));
        if (hasReadings(delivery.Topic) && !IsAvailability(delivery.Payload.Span))
            _unexpected++;
        if (!isWithinQuota)
            SayQuotaReached(reason, "kept in the quarantine", delivery.Topic);
        else if (limiter.MayLog(reason, out var repeated))
            Log.Quarantined(logger, reason, delivery.Topic, repeated);
    }

    private void SayQuotaReached(string reason, string became, string topic)
    {
        if (limiter.MayLog(reason, out var repeated))
            Log.SeriesRefused(logger, became, reason, topic, repeated);
    }

    // What Home Assistant's devices say, some of them on the topic of their readings.
    private static bool IsAvailability(ReadOnlySpan<byte> payload) =>
        payload.SequenceEqual("online"u8) || payload.SequenceEqual("offline"u8) || payload.SequenceEqual("unavailable"u8) || payload.SequenceEqual("unknown"u8);

    private void Expire(string topic)
    {
        _expired++;
        if (limiter.MayLog(nameof(Expire), out var repeated))
            Log.Expired(logger, topic, repeated);
    }

    // Nothing is wrong with the message, and it is no reading: it needs an acknowledgement alone.
    private void Ignore(string topic, string cause)
    {
        _ignored++;
        if (limiter.MayLog(cause, out var repeated))
            Log.Ignored(logger, cause, topic, repeated);
    }

    private void PassOverOwnResult(string topic)
    {
        ledger.PassOverOwnResult();
        if (limiter.MayLog(nameof(PassOverOwnResult), out var repeated))
            Log.OwnResult(logger, topic, repeated);
    }
}
