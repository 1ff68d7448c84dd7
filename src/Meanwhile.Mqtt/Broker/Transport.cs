using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Meanwhile.Mqtt.Broker;

/// <summary>What a connection goes over.</summary>
/// <param name="Pipe">Its bytes. What was flushed is with the operating system.</param>
/// <param name="Socket">Below it; null where that is not known.</param>
/// <param name="Closed">Cancelled when the other end has closed it and everything it sent has been received.</param>
internal sealed record Transport(IDuplexPipe Pipe, Socket? Socket, CancellationToken Closed)
{
    /// <summary>Cuts it off without a word.</summary>
    public required Action Abort { get; init; }

    /// <summary>Tells the other end that nothing more will come; what it sends can still be read.</summary>
    public required Func<ValueTask> EndOutputAsync { get; init; }

    /// <summary>A connection over TCP, with TLS or without.</summary>
    public static Transport Of(ConnectionContext context)
    {
        var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
        return new Transport(context.Transport, socket, context.ConnectionClosed) { Abort = context.Abort, EndOutputAsync = EndOutputAsync };

        async ValueTask EndOutputAsync()
        {
            if (context.Features.Get<ISslStreamFeature>() is { } tls)
                await tls.SslStream.ShutdownAsync();
            socket?.Shutdown(SocketShutdown.Send);
        }
    }

    /// <summary>Whether the other end has closed it, also while nothing is read from it.</summary>
    public bool HasLeft() => Closed.IsCancellationRequested || (Socket is { } socket && TcpState.IsEnded(socket));
}
