using Meanwhile.Logging;
using Microsoft.Extensions.Logging;
using MQTTnet.Formatter;

namespace Meanwhile.Feeds;

/// <summary>MQTT 5.0, until the broker shows that it knows 3.1.1 only.</summary>
internal sealed class ProtocolVersion(ILogger logger)
{
    /// <summary>To be used for the next attempt.</summary>
    public MqttProtocolVersion Current { get; private set; } = MqttProtocolVersion.V500;

    /// <summary>As people call it.</summary>
    public string Name => Current == MqttProtocolVersion.V500 ? "5.0" : "3.1.1";

    /// <summary>Uses 3.1.1 from now on. False when it does so already.</summary>
    public bool FallBack()
    {
        if (Current == MqttProtocolVersion.V311)
            return false;
        Current = MqttProtocolVersion.V311;
        Log.FellBack(logger);
        return true;
    }
}
