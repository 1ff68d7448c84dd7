using System.Buffers;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Delivery;

/// <summary>An application message inside the broker. It is shared between the queues it waits in, and does not change as long as anybody has it.</summary>
public sealed class Message
{
    /// <summary>What a message costs beside its topic and payload, about.</summary>
    public const int Overhead = 128;

    private string _topic = "";
    private ReadOnlyMemory<byte> _payload;
    private int _qos;
    private bool _retain;
    private Properties _properties;
    private TimeSpan? _expiresAt;
    private int _queues;

    // Of its payload and its properties, when it was read from the network.
    private byte[] _memory = [];

    /// <summary>Where to.</summary>
    public required string Topic
    {
        get => _topic;
        init => _topic = value;
    }

    /// <summary>What.</summary>
    public ReadOnlyMemory<byte> Payload
    {
        get => _payload;
        init => _payload = value;
    }

    /// <summary>As it was published: 0, 1 or 2.</summary>
    public int Qos
    {
        get => _qos;
        init => _qos = value;
    }

    /// <summary>It is to be kept for later subscribers.</summary>
    public bool Retain
    {
        get => _retain;
        init => _retain = value;
    }

    /// <summary>What is passed on unchanged to subscribers, in its order [MQTT-3.3.2-17], [MQTT-3.3.2-18]. Of a message that was read, it is in the message's memory, as the payload is.</summary>
    public Properties Properties
    {
        get => _properties;
        init => _properties = value;
    }

    /// <summary>When it is worth nothing any more, on the broker's clock: since the Unix epoch; null for never.</summary>
    public TimeSpan? ExpiresAt
    {
        get => _expiresAt;
        init => _expiresAt = value;
    }

    internal int Size => SizeOf(Topic, Payload.Length, Properties.Size);

    /// <summary>The memory that it keeps for the next payload.</summary>
    internal int Capacity => _memory.Length;

    internal bool IsExpired(TimeSpan now) => now >= ExpiresAt; // False where there is none.

    /// <summary>It waits in one more queue.</summary>
    /// <returns>Whether that is the only one.</returns>
    internal bool Enter() => Interlocked.Increment(ref _queues) == 1;

    /// <summary>It waits in one queue less.</summary>
    /// <returns>Whether that was the last one.</returns>
    internal bool Leave() => Interlocked.Decrement(ref _queues) == 0;

    /// <summary>The size of the message that <see cref="Become"/> would make of what the other side has sent.</summary>
    internal static int SizeOf(string topic, in PublishPacket publish) => SizeOf(topic, (int)publish.Payload.Length, publish.Properties.SizeOf(IsPassedOn));

    /// <summary>What a client's will says.</summary>
    internal static Message Of(Will will, TimeSpan now) => new()
    {
        Topic = will.Topic,
        Payload = will.Payload,
        Qos = will.Qos,
        Retain = will.Retain,
        ExpiresAt = ExpiryOf(will.Properties, now),
        Properties = will.Properties.CopyTo(new byte[will.Properties.Size], IsPassedOn),
    };

    /// <summary>Becomes what the other side has sent, in memory of its own.</summary>
    /// <param name="topic">Its topic, alias or not.</param>
    /// <param name="publish">What has come.</param>
    /// <param name="now">The clock.</param>
    /// <param name="keepsIdentifiers">Of subscriptions, which say to a client why it gets the message.</param>
    internal void Become(string topic, in PublishPacket publish, TimeSpan now, bool keepsIdentifiers = false)
    {
        var length = (int)publish.Payload.Length;
        if (_memory.Length < length + publish.Properties.Size)
            _memory = new byte[length + publish.Properties.Size];
        publish.Payload.CopyTo(_memory);
        _payload = _memory.AsMemory(0, length);
        _properties = publish.Properties.CopyTo(_memory.AsMemory(length), keepsIdentifiers ? IsForClient : IsPassedOn);
        (_topic, _qos, _retain, _expiresAt) = (topic, publish.Qos, publish.Retain, ExpiryOf(publish.Properties, now));
    }

    private static int SizeOf(string topic, int payload, int properties) => Overhead + (sizeof(char) * topic.Length) + payload + properties;

    private static TimeSpan? ExpiryOf(Properties properties, TimeSpan now) =>
        properties.Number(PropertyId.MessageExpiryInterval) is { } seconds ? now + TimeSpan.FromSeconds(seconds) : null;

    // The expiry is counted down [MQTT-3.3.2-6]; aliases [MQTT-3.3.2-7], identifiers and the will's delay belong to one connection.
    private static bool IsPassedOn(PropertyId id) =>
        id is PropertyId.PayloadFormatIndicator or PropertyId.ContentType or PropertyId.ResponseTopic or PropertyId.CorrelationData or PropertyId.UserProperty;

    private static bool IsForClient(PropertyId id) => id == PropertyId.SubscriptionIdentifier || IsPassedOn(id);
}
