using System.Text;

namespace Meanwhile.Settings;

/// <summary>Checks MQTT topics and filters.</summary>
internal static class TopicName
{
    private const int Longest = 65_535;

    /// <summary>Reads a topic to publish to.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string ParseTopic(string text) =>
        IsText(text) && text.AsSpan().IndexOfAny('+', '#') < 0 ? text : throw new FormatException("a topic without the wildcards + and #"); // [MQTT-3.3.2-2]

    /// <summary>Reads a filter to subscribe to.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string ParseFilter(string text)
    {
        var levels = text.Split('/');
        var isFilter = IsText(text)
            && levels.All(level => level is "+" or "#" || level.AsSpan().IndexOfAny('+', '#') < 0) // [MQTT-4.7.1-2]
            && Array.IndexOf(levels, "#") is var end && (end < 0 || end == levels.Length - 1); // [MQTT-4.7.1-1]
        return isFilter ? text : throw new FormatException("a topic, or a filter such as plant/+/temperature or plant/#");
    }

    private static bool IsText(string text) =>
        text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(text) <= Longest; // [MQTT-4.7.3-1], [MQTT-4.7.3-2]
}
