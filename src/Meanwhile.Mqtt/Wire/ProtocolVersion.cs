namespace Meanwhile.Mqtt.Wire;

/// <summary>The version that a client asked for; its number on the wire.</summary>
public enum ProtocolVersion : byte
{
    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V5 = 5,
}
