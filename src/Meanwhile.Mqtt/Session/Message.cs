using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>An application message inside the broker. It is shared between the queues it waits in, and never changed.</summary>
public sealed class Message
{
    // What a message costs beside its topic and payload, about.
    private const int Overhead = 128;

    /// <summary>Where to.</summary>
    public required string Topic { get; init; }

    /// <summary>What.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>As it was published: 0, 1 or 2.</summary>
    public int Qos { get; init; }

    /// <summary>It is to be kept for later subscribers.</summary>
    public bool Retain { get; init; }

    /// <summary>What is passed on unchanged to subscribers, in its order [MQTT-3.3.2-17], [MQTT-3.3.2-18].</summary>
    public Properties Properties { get; init; }

    /// <summary>When it is worth nothing any more, on the broker's clock: since the Unix epoch; null for never.</summary>
    public TimeSpan? ExpiresAt { get; init; }

    internal int Size => Overhead + Topic.Length + Payload.Length + Properties.Size;

    internal bool IsExpired(TimeSpan now) => now >= ExpiresAt; // False where there is none.

    /// <summary>A message out of what a client sent, with memory of its own.</summary>
    internal static Message Of(string topic, ReadOnlyMemory<byte> payload, int qos, bool retain, Properties properties, TimeSpan now) => new()
    {
        Topic = topic,
        Payload = payload,
        Qos = qos,
        Retain = retain,
        ExpiresAt = properties.Number(PropertyId.MessageExpiryInterval) is { } seconds ? now + TimeSpan.FromSeconds(seconds) : null,
        Properties = properties.IsEmpty ? default : properties.Where(property => IsPassedOn(property.Id)),
    };

    // The expiry is counted down [MQTT-3.3.2-6]; aliases [MQTT-3.3.2-7], identifiers and the will's delay belong to one connection.
    private static bool IsPassedOn(PropertyId id) => id is PropertyId.PayloadFormatIndicator or PropertyId.ContentType or PropertyId.ResponseTopic
        or PropertyId.CorrelationData or PropertyId.UserProperty;
}
