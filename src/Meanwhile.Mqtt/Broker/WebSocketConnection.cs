using System.IO.Pipelines;
using System.Net.WebSockets;
using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Meanwhile.Mqtt.Broker;

/// <summary>MQTT over WebSocket: the messages of the one are a stream of bytes for the other [MQTT-6.0.0-2].</summary>
/// <param name="stream">These bytes.</param>
/// <remarks>Reads from a WebSocket must not be cancelled, which would end it before the last words: so they go through a pipe.</remarks>
internal sealed class WebSocketConnection(Stream stream) : IDuplexPipe
{
    // What clients offer [MQTT-6.0.0-3]: that of 3.1 says nothing of the version that CONNECT asks for.
    private static readonly string[] SubProtocols = ["mqtt", "mqttv3.1"];

    private const int LongestShown = 200;
    private const string NoWebSocket = "this port speaks MQTT over WebSocket, and this is an ordinary HTTP request: expected a WebSocket client, and ws:// or wss:// in its settings";

    private static readonly string NoMqtt = $"none of the WebSocket subprotocols that the client offers is one of MQTT: expected {string.Join(" or ", SubProtocols)}, or none at all";

    private readonly Pipe _incoming = new();

    /// <inheritdoc/>
    public PipeReader Input => _incoming.Reader;

    /// <inheritdoc/>
    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    /// <summary>Serves one client until it is gone.</summary>
    public static async Task ServeAsync(HttpContext context, BrokerParts parts)
    {
        if (context.Features.GetRequiredFeature<OriginCheck>().ProblemOf(context.Request) is { } foreign)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, ReasonCode.NotAuthorized, foreign, parts);
            return;
        }
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            await RefuseAsync(context, StatusCodes.Status426UpgradeRequired, ReasonCode.UnsupportedProtocolVersion, NoWebSocket, parts);
            return;
        }
        var offered = context.WebSockets.WebSocketRequestedProtocols;
        var chosen = SubProtocols.FirstOrDefault(offered.Contains);
        if (chosen is null && offered.Count > 0)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, ReasonCode.UnsupportedProtocolVersion, NoMqtt, parts);
            return;
        }
        using var socket = new BinaryWebSocket(await context.WebSockets.AcceptWebSocketAsync(chosen)); // [MQTT-6.0.0-4]; nothing to who offers nothing
        await using var stream = WebSocketStream.Create(socket, WebSocketMessageType.Binary, parts.Limits.ConnectTimeout);
        var pipe = new WebSocketConnection(stream);
        var reading = pipe.ReadAsync();
        var peer = new Peer(context.Connection.RemoteIpAddress, context.Connection.ClientCertificate) { Gone = context.RequestAborted };
        var transport = new Transport(pipe, context.Features.Get<IConnectionSocketFeature>()?.Socket, context.RequestAborted)
        {
            Abort = context.Abort,
            EndOutputAsync = EndOutputAsync,
            Visitor = context.Features.GetRequiredFeature<Visitor>(),
        };
        var connection = new Connection(transport, peer, parts);
        await Listeners.ServeAsync(connection, parts);
        await CloseAsync(EndOutputAsync, socket, reading, parts);

        async ValueTask EndOutputAsync()
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, CancellationToken.None);
        }
    }

    private static async Task RefuseAsync(HttpContext context, int status, ReasonCode reason, string problem, BrokerParts parts)
    {
        var page = context.Request.Headers.Origin.ToString();
        var from = page.Length == 0 ? "" : $", a page of {(page.Length > LongestShown ? page[..LongestShown] + '…' : page)}";
        parts.Refused(new Refusal(RefusalKind.Connection, "", reason, problem) { From = $"{context.Connection.RemoteIpAddress}{from}" });
        context.Response.StatusCode = status;
        context.Response.Headers.Connection = "close"; // It has nothing more to ask for.
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(problem + "\n", context.RequestAborted);
    }

    private static async Task CloseAsync(Func<ValueTask> endOutputAsync, WebSocket socket, Task reading, BrokerParts parts)
    {
        using var patience = new CancellationTokenSource(parts.Limits.ConnectTimeout, parts.Time);
        await using var cutOff = patience.Token.Register(socket.Abort);
        try
        {
            await endOutputAsync();
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
