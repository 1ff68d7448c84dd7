using System.IO.Pipelines;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Mqtt.Broker;

/// <summary>MQTT over WebSocket: the messages of the one are a stream of bytes for the other [MQTT-6.0.0-2].</summary>
/// <param name="stream">These bytes.</param>
/// <remarks>Reads from a WebSocket must not be cancelled, which would end it before the last words: so they go through a pipe.</remarks>
internal sealed class WebSocketConnection(Stream stream) : IDuplexPipe
{
    private const string SubProtocol = "mqtt";

    private readonly Pipe _incoming = new();

    /// <inheritdoc/>
    public PipeReader Input => _incoming.Reader;

    /// <inheritdoc/>
    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    /// <summary>Serves one client until it is gone.</summary>
    public static async Task ServeAsync(HttpContext context, BrokerParts parts)
    {
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(SubProtocol)) // [MQTT-6.0.0-3]
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        using var socket = new BinaryWebSocket(await context.WebSockets.AcceptWebSocketAsync(SubProtocol)); // [MQTT-6.0.0-4]
        await using var stream = WebSocketStream.Create(socket, WebSocketMessageType.Binary, parts.Limits.ConnectTimeout);
        var pipe = new WebSocketConnection(stream);
        var reading = pipe.ReadAsync();
        var peer = new Peer(context.Connection.RemoteIpAddress, context.Connection.ClientCertificate) { Gone = context.RequestAborted };
        var connection = new Connection(pipe, context.Abort, peer, parts);
        await Listeners.ServeAsync(connection, parts);
        await CloseAsync(socket, reading, parts);
    }

    private static async Task CloseAsync(WebSocket socket, Task reading, BrokerParts parts)
    {
        using var patience = new CancellationTokenSource(parts.Limits.ConnectTimeout, parts.Time);
        await using var cutOff = patience.Token.Register(socket.Abort);
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, patience.Token);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or InvalidOperationException)
        {
            socket.Abort(); // The client is gone.
        }
        await reading; // Until the client closes as well.
    }

    private async Task ReadAsync()
    {
        Exception? problem = null;
        try
        {
            var isOpen = true;
            while (isOpen)
            {
                var count = await stream.ReadAsync(_incoming.Writer.GetMemory(), CancellationToken.None);
                isOpen = count > 0;
                _incoming.Writer.Advance(count);
                await _incoming.Writer.FlushAsync(CancellationToken.None);
            }
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException)
        {
            problem = new IOException("the WebSocket is broken", e);
        }
        catch (Exception e)
        {
            problem = e;
        }
        await _incoming.Writer.CompleteAsync(problem);
    }
}
