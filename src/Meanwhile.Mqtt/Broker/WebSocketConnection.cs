using System.IO.Pipelines;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Mqtt.Broker;

/// <summary>MQTT over WebSocket: the messages of the one are a stream of bytes for the other [MQTT-6.0.0-2].</summary>
internal sealed class WebSocketConnection : IDuplexPipe
{
    private const string SubProtocol = "mqtt";

    private WebSocketConnection(Stream stream) => (Input, Output) = (PipeReader.Create(stream), PipeWriter.Create(stream));

    /// <inheritdoc/>
    public PipeReader Input { get; }

    /// <inheritdoc/>
    public PipeWriter Output { get; }

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
        var connection = new Connection(new WebSocketConnection(stream), context.Abort, new Peer(context.Connection.RemoteIpAddress, context.Connection.ClientCertificate), parts);
        await Listeners.ServeAsync(connection, parts);
    }
}
