using System.IO.Pipelines;
using System.Net.Sockets;
using System.Net.WebSockets;
using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What a connection goes over.</summary>
/// <param name="Pipe">Its bytes. What was flushed is with the operating system.</param>
/// <param name="Socket">Below it; null where that is not known.</param>
/// <param name="Closed">Cancelled when the other end has closed it and everything it sent has been received.</param>
internal sealed record Transport(IDuplexPipe Pipe, Socket? Socket, CancellationToken Closed)
{
    // In which a client has to go that was told to, unless it goes on sending.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    /// <summary>Cuts it off without a word.</summary>
    public required Action Abort { get; init; }

    /// <summary>Tells the other end that nothing more will come; what it sends can still be read.</summary>
    public required Func<ValueTask> EndOutputAsync { get; init; }

    /// <summary>What it counts as, from its first byte on.</summary>
    public required Visitor Visitor { get; init; }

    /// <summary>A connection over TCP, with TLS or without.</summary>
    public static Transport Of(ConnectionContext context)
    {
        var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
        return new Transport(context.Transport, socket, context.ConnectionClosed)
        {
            Abort = context.Abort,
            EndOutputAsync = EndOutputAsync,
            Visitor = context.Features.GetRequiredFeature<Visitor>(),
        };

        async ValueTask EndOutputAsync()
        {
            if (context.Features.Get<ISslStreamFeature>() is { } tls)
                await tls.SslStream.ShutdownAsync();
            socket?.Shutdown(SocketShutdown.Send);
        }
    }

    /// <summary>
    /// A connection that is closed while its client goes on sending is reset, and what the client was told last is lost: so only the output ends, and what still comes is read and
    /// thrown away, until the client closes as well, or is quiet for a moment, or its time is over, or it has sent too much.
    /// </summary>
    /// <param name="parts">What all connections share.</param>
    /// <param name="most">How many bytes are read at most, about.</param>
    public async Task LingerAsync(BrokerParts parts, long most)
    {
        try
        {
            await EndOutputAsync();
            using var time = new CancellationTokenSource(parts.Limits.ConnectTimeout, parts.Time);
            var isOver = false;
            for (long count = 0; !isOver && count < most;)
            {
                using var quiet = new CancellationTokenSource(Moment, parts.Time);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, time.Token, parts.Stopping);
                var read = await Pipe.Input.ReadAsync(patience.Token);
                count += read.Buffer.Length;
                Pipe.Input.AdvanceTo(read.Buffer.End);
                isOver = read.IsCompleted;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or WebSocketException or ProtocolException or OperationCanceledException or InvalidOperationException)
        {
            // It is quiet, or the client is gone.
        }
    }

    /// <summary>Whether the other end has closed it, also while nothing is read from it.</summary>
    public bool HasLeft() => Closed.IsCancellationRequested || (Socket is { } socket && TcpState.IsEnded(socket));
}
