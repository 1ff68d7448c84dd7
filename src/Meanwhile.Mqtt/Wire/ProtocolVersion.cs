namespace Meanwhile.Mqtt.Wire;

/// <summary>The version that a client asked for; its number on the wire.</summary>
public enum ProtocolVersion : byte
{
    /// <summary>MQTT 3.1, which names itself MQIsdp. It is served as 3.1.1, and what 3.1.1 has forbidden since is let pass.</summary>
    V31 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V5 = 5,
}
