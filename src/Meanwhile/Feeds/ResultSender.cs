using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Feeds;

/// <summary>Publishes results as the broker of the connection takes them, and none that it does not take. Used from several threads.</summary>
/// <param name="refusals">For those.</param>
internal sealed class ResultSender(ResultRefusals refusals)
{
    // Brokers of 3.1.1 do not say how much they take at once.
    private const int DefaultInFlight = 20;

    private readonly Lock _gate = new();
    private readonly ResultOutbox _outbox = new();
    private MqttClient? _client;
    private Accepted _accepted;
    private bool _isAtMostOnce;

    /// <summary>A result is to be published.</summary>
    public void Add(string topic, byte[] payload)
    {
        if (!refusals.Sends(topic))
            return;
        lock (_gate)
        {
            _outbox.Add(topic, payload);
            Send();
        }
    }

    /// <summary>A connection was accepted, and nothing was sent on it yet.</summary>
    public void Connected(MqttClient client, Accepted accepted)
    {
        lock (_gate)
        {
            (_client, _accepted, _isAtMostOnce) = (client, accepted, accepted.Properties.Number(PropertyId.MaximumQos) == 0); // [MQTT-3.2.2-11]
            _outbox.Connected(accepted.SessionPresent, (int)(accepted.Properties.Number(PropertyId.ReceiveMaximum) ?? DefaultInFlight));
            Send();
        }
    }

    /// <summary>The connection has ended, and not by our will.</summary>
    /// <returns>Whether that is put down to a result that the broker does not take.</returns>
    public bool Ended()
    {
        bool isBecauseOfResult;
        string? givenUp;
        lock (_gate)
        {
            isBecauseOfResult = _outbox.Ended(out givenUp);
            _client!.MostInFlight = _outbox.Window;
        }
        if (givenUp is not null)
            refusals.ByClosing(givenUp);
        return isBecauseOfResult;
    }

    /// <summary>There will be no more: what waits goes to the client, which sends it before it leaves.</summary>
    public void SendAll()
    {
        lock (_gate)
        {
            _outbox.Close();
            Send();
        }
    }

    private void Send()
    {
        while (_client is { } client && _outbox.TryNext(out var next))
        {
            next.Answer = client.PublishAsync(new Message { Topic = next.Topic, Payload = next.Payload, Qos = _isAtMostOnce ? 0 : 1 }, next.GivenUp);
            _ = FollowAsync(client, next);
        }
    }

    private async Task FollowAsync(MqttClient client, SentResult result)
    {
        await ((Task)result.Answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        using (result)
        {
            if (!result.Answer.IsCompletedSuccessfully)
                return; // Given up, or the client has ended.
            var reason = await result.Answer;
            uint? largest;
            lock (_gate)
            {
                _outbox.Answered(result);
                client.MostInFlight = _outbox.Window;
                largest = _accepted.Properties.Number(PropertyId.MaximumPacketSize);
                if (reason == ReasonCode.QosNotSupported && _isAtMostOnce) // It was published on an earlier connection.
                {
                    _outbox.AddAgain(result);
                    reason = ReasonCode.Success;
                }
                Send();
            }
            if (reason == ReasonCode.PacketTooLarge && largest is { } most)
                refusals.TooLarge(most);
            else if (reason >= ReasonCode.UnspecifiedError)
                refusals.ByBroker(reason);
        }
    }
}
