using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Broker;

/// <summary>
/// Works off SUBSCRIBE and UNSUBSCRIBE of one client in slices, so that no packet, however many filters and retained messages it is about, keeps others waiting. It ends when the
/// client has left: what was not answered then is not in force.
/// </summary>
/// <param name="session">Its session.</param>
/// <param name="parts">What all connections share.</param>
/// <param name="closing">Cancelled when the connection is being closed.</param>
/// <param name="gone">Cancelled when the client has left.</param>
internal sealed class SubscriptionHandler(ClientSession session, BrokerParts parts, CancellationToken closing, CancellationToken gone)
{
    // Of each kind, so many take less than a millisecond.
    private const int FiltersASlice = 64;
    private const int StepsASlice = 4096;
    private const int MessagesASlice = 256;

    // That come into force at once.
    private const int FiltersAtOnce = 1024;

    private readonly Dictionary<string, ReasonCode> _refusals = new(StringComparer.Ordinal);
    private long _levels;
    private long _length;

    /// <summary>Subscribes; retained messages that belong to it are queued.</summary>
    /// <returns>What the client is granted [MQTT-3.8.4-5].</returns>
    public async Task<SubAckPacket> SubscribeAsync(SubscribePacket subscribe)
    {
        var identifier = subscribe.Properties.Number(PropertyId.SubscriptionIdentifier);
        var wanted = new Dictionary<string, SubscriptionRequest>(StringComparer.Ordinal); // In their order; the last one of a filter counts [MQTT-3.8.4-3].
        var (reasons, added) = (new List<ReasonCode>(), 0);
        (_levels, _length) = (session.Subscriptions.Sum(static filter => (long)Topic.LevelsFromPlus(filter)), session.Subscriptions.Sum(static filter => (long)filter.Length));
        foreach (var request in subscribe.Requests)
        {
            var isNew = !session.Subscriptions.Contains(request.Filter) && !wanted.ContainsKey(request.Filter);
            var reason = Judge(request, isNew, added);
            reasons.Add(reason);
            if (reason <= ReasonCode.GrantedQos2)
            {
                if (isNew)
                    (added, _levels, _length) = (added + 1, _levels + Topic.LevelsFromPlus(request.Filter), _length + request.Filter.Length);
                var handling = wanted.TryGetValue(request.Filter, out var earlier) && earlier.RetainHandling < request.RetainHandling ? earlier.RetainHandling : request.RetainHandling;
                wanted[request.Filter] = request with { RetainHandling = handling };
            }
            if (reasons.Count % FiltersASlice == 0)
                await PauseAsync();
        }
        _refusals.Clear(); // There may be ten thousand, and long ones.
        foreach (var group in wanted.Values.Chunk(FiltersAtOnce))
            await SubscribeAsync([.. group.Select(request => new NewSubscription(Subscription.Of(session, request, identifier), request, identifier))]);
        return new SubAckPacket(PacketType.SubAck, subscribe.PacketId, reasons); // [MQTT-3.8.4-1], [MQTT-3.8.4-2]
    }

    /// <summary>Takes subscriptions out.</summary>
    public async Task<SubAckPacket> UnsubscribeAsync(UnsubscribePacket unsubscribe)
    {
        var reasons = new List<ReasonCode>();
        foreach (var filter in unsubscribe.Filters)
        {
            reasons.Add(parts.Router.Unsubscribe(session, filter) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted);
            if (reasons.Count % FiltersASlice == 0)
                await PauseAsync();
        }
        return new SubAckPacket(PacketType.UnsubAck, unsubscribe.PacketId, reasons); // [MQTT-3.10.4-4], [MQTT-3.10.4-5]
    }

    private async Task SubscribeAsync(IReadOnlyList<NewSubscription> subscriptions)
    {
        var search = parts.Router.Search(session, subscriptions.Where(IsSentRetained).Select(added => added.Subscription));
        try
        {
            while (search.Go(StepsASlice))
                await PauseAsync();
            while (!parts.Router.Subscribe(search, subscriptions, MessagesASlice, parts.Now()))
            {
                await PauseAsync();
                await parts.Journal.RoomAsync(closing);
            }
        }
        finally
        {
            parts.Router.Close(search);
        }
    }

    // Only the owner of a session changes what it is subscribed to.
    private bool IsSentRetained(NewSubscription added) => !added.Subscription.IsShared && added.Request.RetainHandling switch
    {
        RetainHandling.Send => true, // [MQTT-3.3.1-9]
        RetainHandling.SendIfNew => !session.Subscriptions.Contains(added.Request.Filter), // [MQTT-3.3.1-10]
        _ => false, // [MQTT-3.3.1-11]
    };

    private ReasonCode Judge(SubscriptionRequest request, bool isNew, int added)
    {
        if (!_refusals.TryGetValue(request.Filter, out var refusal) && !MaySubscribe(request.Filter))
            _refusals.Add(request.Filter, refusal = ReasonCode.NotAuthorized);
        return refusal != ReasonCode.Success ? refusal : Grant(request, isNew, session.Subscriptions.Count + added);
    }

    private ReasonCode Grant(SubscriptionRequest request, bool isNew, int subscriptions)
    {
        var (filter, limits) = (request.Filter, parts.Limits);
        if (Topic.Levels(filter) > limits.TopicLevels)
            return ReasonCode.TopicFilterInvalid;
        var more = Topic.LevelsFromPlus(filter);
        var isTooMany = subscriptions >= limits.SubscriptionsPerClient || (more > 0 && _levels + more > limits.LevelsPerClient) || _length + filter.Length > limits.FilterLengthPerClient;
        return isNew && (parts.Memory.IsFull || isTooMany || parts.Router.SubscriptionBytes + SubscriptionIndex.SizeOf(filter) > limits.SubscriptionBytes) ? ReasonCode.QuotaExceeded : (ReasonCode)request.Qos;
    }

    private bool MaySubscribe(string filter)
    {
        if (session.Permissions.MaySubscribe(Topic.TrySplitShare(filter, out _, out var shared) ? shared.ToString() : filter))
            return true;
        parts.Refused(new Refusal(RefusalKind.Subscription, session.ClientId, ReasonCode.NotAuthorized, filter));
        return false;
    }

    private async ValueTask PauseAsync()
    {
        await Task.Yield();
        closing.ThrowIfCancellationRequested();
        gone.ThrowIfCancellationRequested();
    }
}

/// <summary>A subscription that is to come into force.</summary>
/// <param name="Subscription">The subscription.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Identifier">What the client calls it; null for nothing.</param>
internal sealed record NewSubscription(Subscription Subscription, SubscriptionRequest Request, uint? Identifier);
