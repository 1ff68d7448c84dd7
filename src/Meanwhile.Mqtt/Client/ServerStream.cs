using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>Opens the connection under MQTT: TCP, TLS, a WebSocket, or a secure one.</summary>
public static class ServerStream
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Opens one.</summary>
    /// <param name="server">mqtt://, mqtts://, ws:// or wss://.</param>
    /// <param name="tls">Who is trusted, and whom we are; null for what this machine trusts.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Stream> OpenAsync(Uri server, SslClientAuthenticationOptions? tls, CancellationToken cancellationToken) => server.Scheme switch
    {
        "mqtt" => await ConnectAsync(server.DnsSafeHost, server.Port > 0 ? server.Port : 1883, cancellationToken),
        "mqtts" => await SecureAsync(await ConnectAsync(server.DnsSafeHost, server.Port > 0 ? server.Port : 8883, cancellationToken), server.DnsSafeHost, tls, cancellationToken),
        _ => await OpenWebSocketAsync(server, tls, cancellationToken),
    };

    private static async Task<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> SecureAsync(Stream inner, string host, SslClientAuthenticationOptions? tls, CancellationToken cancellationToken)
    {
        var stream = new SslStream(inner);
        try
        {
            tls ??= new SslClientAuthenticationOptions();
            tls.TargetHost ??= host;
            await stream.AuthenticateAsClientAsync(tls, cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private static async Task<Stream> OpenWebSocketAsync(Uri server, SslClientAuthenticationOptions? tls, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { ConnectCallback = async (context, ct) => await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, ct) };
        if (tls is not null)
            handler.SslOptions = tls;
        using var invoker = new HttpMessageInvoker(handler);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol("mqtt"); // [MQTT-6.0.0-3]
            await socket.ConnectAsync(server, invoker, cancellationToken);
            return WebSocketStream.Create(new BinaryWebSocket(socket), WebSocketMessageType.Binary, CloseTimeout); // [MQTT-6.0.0-1]
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
