using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Meanwhile.Feeds;

/// <summary>Finds out what a port speaks that does not speak what BROKER says. It is asked in other ways, once, and told nothing of ours.</summary>
internal sealed class WrongPort(BrokerAddress address, TimeProvider time)
{
    private const int FewCloses = 2; // Each of several in MQTT 5.0 and one in 3.1.1.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // CONNECT of MQTT 3.1.1 for a session without a name, which ends with the connection; and its answer's first byte.
    private static readonly byte[] Connect = [0x10, 12, 0, 4, .. "MQTT"u8, 4, 2, 0, 0, 0, 0];
    private static readonly byte[] ConnAck = [0x20];

    private bool _wasAsked;
    private int _closes;

    /// <summary>An attempt has failed, and none has succeeded before.</summary>
    /// <param name="isClosed">Without a word after CONNECT, as a broker that is restarted does as well.</param>
    /// <exception cref="UserException">The port speaks something else.</exception>
    public async Task CheckAsync(bool isClosed, CancellationToken cancellationToken)
    {
        if (_wasAsked || (isClosed && ++_closes < FewCloses))
            return;
        _wasAsked = true;
        if (address.Scheme != "mqtt" && await AnswersAsync(Connect, ConnAck, cancellationToken))
            throw Expected("MQTT as it is, without TLS or WebSocket", "mqtt");
        if (!address.IsSecure && await ShowsCertificateAsync(cancellationToken))
            throw address.IsWebSocket ? Expected("TLS", "wss") : Expected("TLS", "mqtts", ", or wss:// for MQTT over WebSocket");
        var upgrade = $"GET {(address.Path.Length > 0 ? address.Path : "/mqtt")} HTTP/1.1\r\nHost: {address.Host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
        if (address.Scheme != "ws" && await AnswersAsync(Encoding.ASCII.GetBytes(upgrade), "HTTP/"u8.ToArray(), cancellationToken))
            throw Expected("HTTP, as MQTT over WebSocket does", "ws");
    }

    private UserException Expected(string what, string scheme, string more = "") =>
        new($"{address}: this port speaks {what}: expected {address with { Scheme = scheme }}{more}, or another port");

    private async Task<bool> AnswersAsync(byte[] request, byte[] start, CancellationToken cancellationToken)
    {
        var answer = new byte[start.Length];
        await ConverseAsync(
            async (stream, timeout) =>
            {
                await stream.WriteAsync(request, timeout);
                await stream.ReadExactlyAsync(answer, timeout);
            },
            cancellationToken);
        return answer.AsSpan().SequenceEqual(start);
    }

    // Whether it is to be trusted is not asked here, and nothing is said to it.
    private async Task<bool> ShowsCertificateAsync(CancellationToken cancellationToken)
    {
        var isThere = false;
        await ConverseAsync(
            async (stream, timeout) =>
            {
                using var tls = new SslStream(stream, leaveInnerStreamOpen: true, (_, _, _, _) =>
                {
                    isThere = true;
                    return false;
                });
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.Host }, timeout);
            },
            cancellationToken);
        return isThere;
    }

    private async Task ConverseAsync(Func<NetworkStream, CancellationToken, Task> converse, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address.Host, address.Port, either.Token);
            await converse(client.GetStream(), either.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // That was not it.
        }
    }
}
