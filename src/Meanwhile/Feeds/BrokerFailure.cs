using System.Net.Sockets;
using System.Security.Authentication;
using Meanwhile.Mqtt.Client;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Feeds;

/// <summary>What a broker's refusals and a network's failures mean to a person.</summary>
internal static class BrokerFailure
{
    /// <summary>The innermost reason, in one line.</summary>
    public static string Describe(Exception exception) => exception.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.');

    /// <summary>TLS failed because of the certificate: trying again will not help.</summary>
    public static bool IsCertificateProblem(Exception exception) =>
        exception is AuthenticationException || (exception.InnerException is { } inner && IsCertificateProblem(inner));

    /// <summary>Somebody is there and does not get along with us; one who has closed a connection may just have been restarted.</summary>
    public static bool MayBeWrongPort(MqttClientException failure) =>
        (failure is { IsVersionInDoubt: false, Reason: null } || IsCertificateProblem(failure)) && !IsAway(failure);

    /// <summary>The connection was closed without a word.</summary>
    public static bool IsClosed(MqttClientException failure) =>
        failure.Answer is null && !IsCertificateProblem(failure) && failure.GetBaseException() is not OperationCanceledException;

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

    /// <summary>What to say when another client came with our client id.</summary>
    public static UserException TakenOver(string clientId) => new(
        $"another client has connected with the client id '{clientId}' and taken the session over: stop it, or give one of the two a --client-id of its own");
}
