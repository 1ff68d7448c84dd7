using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Settings;

/// <summary>Checks MQTT topics and filters.</summary>
internal static class TopicName
{
    /// <summary>Reads a topic to publish to.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string ParseTopic(string text) =>
        Topic.FaultOf(text) is null ? text : throw new FormatException("a topic without the wildcards + and #, of 1 to 65,535 bytes");

    /// <summary>Reads a filter to subscribe to.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string ParseFilter(string text) =>
        Topic.FaultOfText(text) is null && Topic.IsFilter(text) ? text : throw new FormatException("a topic, or a filter such as plant/+/temperature or plant/#");
}
