using Meanwhile.Mqtt.Delivery;

namespace Meanwhile.Mqtt.Session;

/// <summary>A topic with a retained message.</summary>
/// <param name="name">The topic.</param>
/// <param name="number">Its place in the order in which topics came to be retained.</param>
internal sealed class RetainedTopic(string name, long number)
{
    /// <summary>The topic.</summary>
    public string Name { get; } = name;

    /// <summary>Its place in the order in which topics came to be retained.</summary>
    public long Number { get; } = number;

    /// <summary>Its message; null when it has none any more.</summary>
    public Message? Message { get; set; }
}
