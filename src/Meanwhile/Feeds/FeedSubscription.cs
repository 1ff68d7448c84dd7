using System.Diagnostics.CodeAnalysis;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Sees to it that our session is subscribed to one filter and nothing else, whatever an earlier run has left there, and tells what of that comes.</summary>
/// <param name="filter">What is asked for.</param>
/// <param name="stored">What the session was subscribed to when the last process committed; null for nothing that is known.</param>
/// <param name="setting">Where the filter comes from, for what is said.</param>
/// <param name="clientId">Names the session, for what is said.</param>
/// <param name="logger">For what the session turns out to be.</param>
internal sealed class FeedSubscription(string filter, string? stored, string setting, string clientId, ILogger logger)
{
    // Stored when it is not certain what the session is subscribed to: the next process asks, whatever its filter.
    private const string Unknown = "";

    private readonly Lock _gate = new();
    private readonly TopicMatcher _matcher = new(filter);
    private readonly SurplusSubscriptions _surplus = new(filter, logger);
    private readonly SubscriptionMark _mark = new(filter);
    private (MqttClient Client, bool SaysWhich, CancellationToken Ends)? _connection;
    private string? _subscription = stored == Unknown ? null : stored;
    private TaskCompletionSource _changed = NewSignal();
    private volatile string? _change;
    private bool _hasAsked;

    /// <summary>Completes when the subscription has changed and that was not taken yet.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
                return _changed.Task;
        }
    }

    /// <summary>What the session is subscribed to from now on, once for each change; to be stored.</summary>
    public bool TryTakeChange([NotNullWhen(true)] out string? subscription)
    {
        subscription = null;
        if (_change is null)
            return false;
        lock (_gate)
            (subscription, _change, _changed) = (_change, null, NewSignal());
        return true;
    }

    /// <summary>What the host is to make of something that came. To be asked in the order of receipt.</summary>
    public DeliveryKind KindOf(in Incoming incoming)
    {
        if (incoming.Message is not { } message)
        {
            if (incoming.IdChange.Kind == IdChangeKind.AllForgotten)
                _mark.Forget();
            return DeliveryKind.SessionChange;
        }
        var isAskedFor = _matcher.Matches(message.Topic) && !_mark.IsCopy(message);
        if (!isAskedFor)
        {
            lock (_gate)
                _surplus.Saw(message.Topic);
            EndSurplus();
        }
        return incoming.Kind == IncomingKind.Redelivery ? DeliveryKind.Redelivery : isAskedFor ? DeliveryKind.Message : DeliveryKind.Surplus;
    }

    /// <summary>Subscribes on a connection where that is not done yet. What both filters match is not missed in between.</summary>
    /// <param name="client">The client.</param>
    /// <param name="accepted">What the broker has said.</param>
    /// <param name="log">For a session that was lost.</param>
    /// <param name="hadNone">There was no session that the broker could have kept.</param>
    /// <param name="ends">With the connection.</param>
    /// <exception cref="UserException">The broker refuses.</exception>
    public async Task SubscribeAsync(MqttClient client, Accepted accepted, ConnectionLog log, bool hadNone, CancellationToken ends)
    {
        if (accepted.SessionPresent && _subscription is null)
            Log.SessionUnknown(logger, clientId);
        if (!accepted.SessionPresent && _subscription is not null)
            log.SessionLost(hadNone);
        if (!accepted.SessionPresent)
            _subscription = null;
        var is5 = accepted.Version == ProtocolVersion.V5;
        if (!is5)
            _mark.GiveUp();
        lock (_gate)
        {
            _surplus.Connected(accepted.SessionPresent);
            _connection = (client, SaysWhich: is5, ends);
        }
        EndSurplus();
        if (_subscription != filter)
            await SubscribeAsync(client, marks: accepted.SessionPresent && is5 && accepted.Properties.Number(PropertyId.SubscriptionIdentifierAvailable) != 0, ends);
        else if (is5 && !_hasAsked) // The last process may have been killed before it had stored that the session is a new one. Before 5.0, what is retained would come again.
            await AskAsync(client, identifier: 0, ends);
        log.Subscribed(filter);
    }

    private async Task SubscribeAsync(MqttClient client, bool marks, CancellationToken ends)
    {
        if (marks)
            _mark.AskedFor();
        var subscribing = AskAsync(client, marks ? _mark.Identifier : 0, ends);
        var unsubscribing = _subscription is { } old ? client.UnsubscribeAsync([old], ends) : null;
        await subscribing;
        _subscription = filter;
        Change(filter);
        if (unsubscribing is not null)
            await unsubscribing;
    }

    private async Task AskAsync(MqttClient client, uint identifier, CancellationToken ends)
    {
        var answers = await client.SubscribeAsync(
            [
                new SubscriptionRequest(
                    filter,
                    Qos: 2, // The publisher's own QoS decides.
                    NoLocal: !Topic.IsShare(filter), // Not our own results; no such thing when shared [MQTT-3.8.3-4].
                    RetainHandling: RetainHandling.SendIfNew), // A retained reading is an old one: once is enough.
            ],
            identifier,
            ends);
        if (answers[0] is var answer and >= ReasonCode.UnspecifiedError)
        {
            Change(Unknown); // What there was before may be unsubscribed from by now.
            throw new UserException($"the broker refuses the subscription to '{filter}' ({answer}): check {setting} and what this user may read");
        }
        _hasAsked = true;
    }

    private void Change(string subscription)
    {
        lock (_gate)
        {
            _change = subscription;
            _changed.TrySetResult();
        }
    }

    // Asked before the message that has shown the need for it is acknowledged.
    private void EndSurplus()
    {
        lock (_gate)
        {
            if (_connection is { } connection && _surplus.Next() is { } filters)
                _ = EndAsync(connection.Client, filters, connection.SaysWhich, connection.Ends);
        }
    }

    private async Task EndAsync(MqttClient client, List<string> filters, bool saysWhich, CancellationToken ends)
    {
        try
        {
            var answers = await client.UnsubscribeAsync(filters, ends);
            lock (_gate)
                _surplus.Answered(filters, saysWhich ? answers : []);
            EndSurplus();
        }
        catch (OperationCanceledException)
        {
            // The connection may have ended because of it: it is not asked again.
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
