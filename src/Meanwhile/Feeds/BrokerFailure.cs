using System.Net.Sockets;
using System.Security.Authentication;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;

namespace Meanwhile.Feeds;

/// <summary>What a broker's refusals and a network's failures mean to a person.</summary>
internal static class BrokerFailure
{
    // The return code of 3.1.1, in whose form such a broker answers [MQTT-3.1.2-2].
    private const MqttConnectReasonCode UnacceptableProtocolVersion = (MqttConnectReasonCode)1;

    /// <summary>The innermost reason, in one line.</summary>
    public static string Describe(Exception exception) => exception.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.');

    /// <summary>TLS failed because of the certificate: trying again will not help.</summary>
    public static bool IsCertificateProblem(Exception exception) =>
        exception is AuthenticationException || (exception.InnerException is { } inner && IsCertificateProblem(inner));

    /// <summary>Somebody is there and does not get along with us; one who has closed a connection may just have been restarted.</summary>
    public static bool MayBeWrongPort(Exception exception) =>
        (exception is BrokerException { Doubt: VersionDoubt.None, InnerException: not null } || exception is MqttClientException { IsVersionInDoubt: false, Reason: null } || IsCertificateProblem(exception))
        && !IsAway(exception);

    /// <summary>The connection was closed without a word.</summary>
    public static bool IsClosed(Exception exception) =>
        exception is not MqttClientException { Answer: not null } && exception is { InnerException: not BrokerException { Answer: not null } } && !IsCertificateProblem(exception) && exception.GetBaseException() is not (OperationCanceledException or MqttProtocolViolationException);

    /// <summary>Nobody is there.</summary>
    public static bool IsAway(Exception exception) => exception.GetBaseException() is SocketException { SocketErrorCode: not SocketError.ConnectionReset };

    /// <summary>What to say of such a certificate.</summary>
    public static UserException Untrusted(BrokerSettings settings, Exception exception) => new(
        $"{settings.Address}: its certificate is not trusted ({Describe(exception)}): expected one for this host name, of an authority known to this machine or named by SSL_CERT_FILE",
        inner: exception);

    /// <summary>What to say of a broker that will go on refusing us.</summary>
    public static UserException Final(BrokerSettings settings, MqttClientException failure) => failure switch
    {
        { Reason: null } => Untrusted(settings, failure),
        { Reason: ReasonCode.ServerMoved } => new UserException($"{settings.Address}: {failure.Message}: expected the address of the broker that it names, or another one"),
        _ => new UserException($"{settings.Address} refuses the client '{settings.ClientId}' ({failure.Reason}): check MQTT_USERNAME, MQTT_PASSWORD_FILE and MQTT_CLIENT_ID"),
    };

    /// <summary>Judges a broker's answer to CONNECT.</summary>
    /// <param name="answer">From CONNACK; MQTTnet translates 3.1.1's codes.</param>
    /// <param name="explanation">What it says besides; null or empty for nothing.</param>
    /// <param name="settings">For what is said.</param>
    /// <param name="hasConnected">The same settings worked before, so a refusal will pass.</param>
    /// <exception cref="BrokerException">Worth trying again.</exception>
    /// <exception cref="UserException">Somebody has to do something about it.</exception>
    public static void Check(MqttConnectReasonCode answer, string? explanation, BrokerSettings settings, bool hasConnected)
    {
        if (answer == MqttConnectReasonCode.Success)
            return;
        if (answer is MqttConnectReasonCode.UnsupportedProtocolVersion or UnacceptableProtocolVersion)
            throw new BrokerException("it does not speak this version of MQTT") { Doubt = VersionDoubt.Proven };
        if (!hasConnected && IsFinal(answer))
            throw new UserException($"{settings.Address} refuses the client '{settings.ClientId}' ({answer}): check MQTT_USERNAME, MQTT_PASSWORD_FILE and MQTT_CLIENT_ID");
        throw new BrokerException($"it refuses the connection ({answer}{(string.IsNullOrEmpty(explanation) ? "" : ": " + explanation)})");
    }

    /// <summary>What to say when another client came with our client id.</summary>
    public static UserException TakenOver(string clientId) => new(
        $"another client has connected with the client id '{clientId}' and taken the session over: stop it, or give one of the two a --client-id of its own");

    private static bool IsFinal(MqttConnectReasonCode reason) =>
        reason is MqttConnectReasonCode.BadUserNameOrPassword or MqttConnectReasonCode.NotAuthorized or MqttConnectReasonCode.ClientIdentifierNotValid
            or MqttConnectReasonCode.Banned or MqttConnectReasonCode.BadAuthenticationMethod;
}
