namespace Meanwhile.Mqtt.Wire;

/// <summary>The peer broke a rule of the protocol, or a limit: the connection has to be closed with this reason [MQTT-4.13.1-1]; [MQTT-4.8.0-1] of 3.1.1.</summary>
public sealed class ProtocolException(ReasonCode reason, string message) : Exception(message)
{
    /// <summary>What 5.0 tells the peer.</summary>
    public ReasonCode Reason { get; } = reason;

    /// <summary>The bytes cannot be understood.</summary>
    internal static ProtocolException Malformed(string what) => new(ReasonCode.MalformedPacket, what);

    /// <summary>The bytes can be understood, but are not allowed here.</summary>
    internal static ProtocolException Error(string what) => new(ReasonCode.ProtocolError, what);
}
