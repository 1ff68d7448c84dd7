using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>What a connection makes of the packets that a broker sends, the forbidden ones among them.</summary>
/// <param name="session">Takes them in.</param>
/// <param name="filter">What was subscribed to; null when nothing was.</param>
/// <param name="subscribed">Called once the broker has accepted the subscription.</param>
/// <param name="clientId">For what is said.</param>
/// <param name="setting">Where the filter comes from, for what is said.</param>
/// <param name="refusals">For results that the broker refuses.</param>
internal sealed class IncomingPackets(FeedSession session, string? filter, Action subscribed, string clientId, string setting, ResultRefusals refusals)
{
    // A broker answers in order: one that answers pings, but not the SUBSCRIBE before them, has forgotten it.
    private const int PatienceInPings = 2;

    private bool _awaitsSubAck = filter is not null;
    private int _pings;

    /// <summary>What goes to the store because of a packet; null for nothing.</summary>
    /// <exception cref="BrokerException">The connection cannot go on.</exception>
    /// <exception cref="UserException">Somebody has to do something about it.</exception>
    public Delivery? Interpret(MqttPacket packet, long arrived)
    {
        switch (packet)
        {
            case MqttPublishPacket publish:
                Check(publish);
                return session.Received(publish, arrived);
            case MqttPubRelPacket release:
                CheckIdentifier(release.PacketIdentifier);
                return session.Released(release.PacketIdentifier);
            case MqttPubAckPacket acknowledgement:
                Acknowledge(acknowledgement);
                return null;
            case MqttSubAckPacket answer when filter is not null:
                return Subscribed(answer, filter);
            case MqttPingRespPacket:
                if (_awaitsSubAck && ++_pings == PatienceInPings)
                    throw new BrokerException("it does not answer the subscription");
                return null;
            case MqttUnsubAckPacket answer:
                session.Unsubscribed(answer);
                return null;
            case MqttDisconnectPacket { ReasonCode: MqttDisconnectReasonCode.SessionTakenOver }:
                throw BrokerFailure.TakenOver(clientId);
            case MqttDisconnectPacket disconnect:
                throw new BrokerException($"it ended the connection: {disconnect.ReasonCode} {disconnect.ReasonString}".TrimEnd());
            default:
                throw Broken(MqttDisconnectReasonCode.ProtocolError, $"{packet.GetType().Name} is not for a broker to send now");
        }
    }

    private void Acknowledge(MqttPubAckPacket acknowledgement)
    {
        if (acknowledgement.ReasonCode >= MqttPubAckReasonCode.UnspecifiedError)
            refusals.ByBroker(acknowledgement.ReasonCode);
        session.ResultAcknowledged(acknowledgement.PacketIdentifier);
    }

    private Delivery Subscribed(MqttSubAckPacket answer, string accepted)
    {
        if (answer.ReasonCodes.Exists(code => code >= MqttSubscribeReasonCode.UnspecifiedError))
            throw new UserException($"the broker refuses the subscription to '{accepted}' ({answer.ReasonCodes[0]}): check {setting} and what this user may read");
        _awaitsSubAck = false;
        subscribed();
        return FeedSession.Subscribed(accepted);
    }

    private static void Check(MqttPublishPacket publish)
    {
        if (publish.QualityOfServiceLevel > MqttQualityOfServiceLevel.ExactlyOnce)
            throw Broken(MqttDisconnectReasonCode.MalformedPacket, "PUBLISH at QoS 3"); // [MQTT-3.3.1-4]
        if (publish.QualityOfServiceLevel > MqttQualityOfServiceLevel.AtMostOnce)
            CheckIdentifier(publish.PacketIdentifier);
        if (publish.Topic.Length == 0 || publish.Topic.AsSpan().IndexOfAny('+', '#', '\0') >= 0)
            throw Broken(MqttDisconnectReasonCode.TopicNameInvalid, $"PUBLISH to '{publish.Topic}'"); // [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2]
    }

    private static void CheckIdentifier(ushort packetId)
    {
        if (packetId == 0)
            throw Broken(MqttDisconnectReasonCode.ProtocolError, "packet identifier 0"); // [MQTT-2.2.1-4]
    }

    private static BrokerException Broken(MqttDisconnectReasonCode answer, string what) => new($"it breaks the protocol: {what}") { Answer = answer };
}
