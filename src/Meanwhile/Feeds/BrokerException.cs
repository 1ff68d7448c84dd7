using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>The broker is not there, or not any more, or breaks the rules: worth trying again.</summary>
internal sealed class BrokerException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the broker is told before the connection is closed, if it speaks 5.0; null for nothing.</summary>
    public MqttDisconnectReasonCode? Answer { get; init; }

    /// <summary>Whether the broker's age may be the reason.</summary>
    public VersionDoubt Doubt { get; init; }
}
