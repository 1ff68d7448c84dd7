using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>Topic aliases that a client uses; they live as long as its connection [MQTT-3.3.2-7].</summary>
/// <param name="maximum">The highest one that it was granted.</param>
internal sealed class ReceivedAliases(int maximum)
{
    /// <summary>The length of all topics together for which a connection has aliases, in characters: a topic may have 65,535.</summary>
    public const int MostCharacters = 16 * 1024;

    private readonly Dictionary<uint, string> _topics = [];
    private int _characters;

    /// <summary>The topic of a PUBLISH, which is remembered where it comes with an alias.</summary>
    public string Resolve(PublishPacket publish)
    {
        if (publish.Properties.Number(PropertyId.TopicAlias) is not { } alias)
            return publish.Topic;
        if (alias > maximum)
            throw new ProtocolException(ReasonCode.TopicAliasInvalid, $"topic alias {alias} of {maximum}"); // [MQTT-3.3.2-9]
        if (publish.Topic.Length > 0)
            Set(alias, publish.Topic);
        return _topics.TryGetValue(alias, out var topic) ? topic : throw ProtocolException.Error($"topic alias {alias} stands for nothing"); // [MQTT-3.3.2-12]
    }

    private void Set(uint alias, string topic)
    {
        _characters += topic.Length - (_topics.GetValueOrDefault(alias)?.Length ?? 0);
        if (_characters > MostCharacters)
            throw new ProtocolException(ReasonCode.QuotaExceeded, $"the topics of its aliases have {_characters} characters in all: expected at most {MostCharacters}");
        _topics[alias] = topic;
    }
}

/// <summary>Topic aliases towards a client: the first topics that it is sent get one each, as long as they are not too long.</summary>
/// <param name="maximum">The highest one that the client takes [MQTT-3.1.2-26].</param>
internal sealed class SentAliases(int maximum)
{
    private readonly Dictionary<string, ushort> _aliases = new(StringComparer.Ordinal);
    private int _characters;

    /// <summary>The alias of a topic, 0 for none; it is new when the topic has to be sent with it.</summary>
    public ushort Find(string topic, out bool isNew)
    {
        isNew = false;
        if (_aliases.TryGetValue(topic, out var alias) || _aliases.Count >= maximum || _characters + topic.Length > ReceivedAliases.MostCharacters)
            return alias;
        isNew = true;
        _characters += topic.Length;
        return _aliases[topic] = (ushort)(_aliases.Count + 1);
    }

    /// <summary>The topic that was new just now could not be sent.</summary>
    public void ForgetLast(string topic)
    {
        _aliases.Remove(topic);
        _characters -= topic.Length;
    }
}
