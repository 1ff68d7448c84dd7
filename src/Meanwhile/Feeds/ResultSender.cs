using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>Sends results as the broker of the connection takes them, and none that it does not take.</summary>
/// <param name="refusals">For those.</param>
internal sealed class ResultSender(ResultRefusals refusals)
{
    private readonly ResultOutbox _outbox = new();
    private uint _largestPacket;
    private bool _atMostOnce;

    /// <summary>Nothing waits to be sent or acknowledged.</summary>
    public bool IsEmpty => _outbox.IsEmpty;

    /// <summary>A connection was accepted.</summary>
    /// <param name="sessionPresent">The broker knows our session.</param>
    /// <param name="receiveMaximum">How many results may be in flight.</param>
    /// <param name="largestPacket">How many bytes of a packet the broker takes; 0 for any number.</param>
    /// <param name="atMostOnce">It takes nothing but QoS 0 [MQTT-3.2.2-11].</param>
    public void Connected(bool sessionPresent, int receiveMaximum, uint largestPacket, bool atMostOnce)
    {
        (_largestPacket, _atMostOnce) = (largestPacket, atMostOnce);
        _outbox.Connected(sessionPresent, receiveMaximum);
    }

    /// <summary>A result is to be published.</summary>
    public void Add(string topic, byte[] payload)
    {
        if (refusals.Sends(topic))
            _outbox.Add(topic, payload);
    }

    /// <summary>The broker has acknowledged a result.</summary>
    public void Acknowledged(ushort packetId) => _outbox.Acknowledged(packetId);

    /// <summary>The connection has ended, and not by our will.</summary>
    /// <returns>Whether that is put down to a result that the broker does not take.</returns>
    public bool Ended()
    {
        var isBecauseOfResult = _outbox.Ended(out var givenUp);
        if (givenUp is not null)
            refusals.ByClosing(givenUp);
        return isBecauseOfResult;
    }

    /// <summary>The next packet to send; null for none.</summary>
    public MqttPublishPacket? Next()
    {
        while (_outbox.TryNext(out var result))
        {
            if (_largestPacket > 0 && ResultOutbox.PacketSize(result.Topic, result.Payload.Length) > _largestPacket)
            {
                _outbox.Acknowledged(result.Id);
                refusals.TooLarge(_largestPacket);
                continue;
            }
            if (_atMostOnce)
                _outbox.Acknowledged(result.Id); // Nobody else will.
            return new MqttPublishPacket
            {
                PacketIdentifier = _atMostOnce ? (ushort)0 : result.Id,
                Topic = result.Topic,
                PayloadSegment = result.Payload,
                QualityOfServiceLevel = _atMostOnce ? MqttQualityOfServiceLevel.AtMostOnce : MqttQualityOfServiceLevel.AtLeastOnce,
                Dup = result.Dup && !_atMostOnce, // [MQTT-3.3.1-2]
            };
        }
        return null;
    }
}
