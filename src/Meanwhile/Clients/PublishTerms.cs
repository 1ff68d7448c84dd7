using Meanwhile.Feeds;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Meanwhile.Clients;

/// <summary>What a broker takes on one connection.</summary>
/// <param name="receiveMaximum">How many messages at QoS 1 and 2 at once.</param>
/// <param name="largestPacket">In bytes; 0 for any number.</param>
/// <param name="maximumQos">The highest quality of service.</param>
internal sealed class PublishTerms(int receiveMaximum, uint largestPacket, MqttQualityOfServiceLevel maximumQos)
{
    // MQTT 3.1.1 brokers do not say how much they take at once.
    private const int DefaultInFlight = 20;

    /// <summary>Before there is a connection.</summary>
    public static PublishTerms Unknown => new(DefaultInFlight, largestPacket: 0, MqttQualityOfServiceLevel.ExactlyOnce);

    /// <summary>One for each message that may be in flight.</summary>
    public SemaphoreSlim Places { get; } = new(receiveMaximum);

    /// <summary>As the broker has said in CONNACK.</summary>
    public static PublishTerms Of(MqttClientConnectResult accepted, MqttProtocolVersion version) => version == MqttProtocolVersion.V500
        ? new(accepted.ReceiveMaximum is > 0 and { } maximum ? maximum : DefaultInFlight, accepted.MaximumPacketSize ?? 0, accepted.MaximumQoS)
        : Unknown;

    /// <summary>Why a message may not be sent: the broker would end the connection [MQTT-3.2.2-11], [MQTT-3.2.2-15]. Null when it may.</summary>
    public string? Forbids(MqttApplicationMessage message)
    {
        if (message.QualityOfServiceLevel > maximumQos)
            return $"it takes QoS {(int)maximumQos} at most";
        return largestPacket > 0 && ResultOutbox.PacketSize(message.Topic, message.Payload.Length) > largestPacket ? $"it takes packets of at most {largestPacket} bytes" : null;
    }
}
