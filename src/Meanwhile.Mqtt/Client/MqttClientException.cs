using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>There is no connection, or not any more, and why.</summary>
public sealed class MqttClientException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the server has said; null when it has said nothing.</summary>
    public ReasonCode? Reason { get; init; }

    /// <summary>Where it sends us instead; null for nowhere.</summary>
    public string? ServerReference { get; init; }

    /// <summary>What the server was told, because it has broken a rule; null when that is not what happened.</summary>
    public ReasonCode? Answer { get; init; }

    /// <summary>It may be that the server does not know the version of MQTT that it was asked for.</summary>
    public bool IsVersionInDoubt => Doubt != VersionDoubt.None;

    /// <summary>The server had accepted the connection.</summary>
    public bool WasConnected { get; internal set; }

    /// <summary>Trying again will not help: <see cref="MqttClient.RunAsync"/> ends with it.</summary>
    public bool IsFinal { get; internal set; }

    internal VersionDoubt Doubt { get; init; }

    /// <summary>What a network's failure is to a client.</summary>
    internal static MqttClientException Of(Exception exception, VersionDoubt doubt = VersionDoubt.None) => exception switch
    {
        MqttClientException known => known,
        ProtocolException broken => new($"it breaks the protocol: {broken.Message}", broken) { Answer = broken.Reason },
        OperationCanceledException => new("the connection was aborted", exception),
        _ => new(exception.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.'), exception) { Doubt = doubt },
    };

    /// <summary>What a server's refusal, or its last words, are to a client.</summary>
    internal static MqttClientException Of(string what, ReasonCode reason, Properties properties)
    {
        var reference = properties.Text(PropertyId.ServerReference);
        var (words, place) = (properties.Text(PropertyId.ReasonString), reference is null ? "" : $", and names {reference}");
        return new($"{what} ({reason}{(string.IsNullOrEmpty(words) ? "" : ": " + words)}{place})") { Reason = reason, ServerReference = reference };
    }
}
