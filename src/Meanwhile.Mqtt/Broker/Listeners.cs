using System.Net;
using System.Net.Security;
using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Meanwhile.Mqtt.Broker;

/// <summary>The addresses of a broker, on Kestrel.</summary>
internal sealed class Listeners
{
    // What a connection reads ahead of whoever handles it.
    private const int ReadAhead = 16 * 1024;

    // What connections take until they are let in, about; those of TLS beside that, much of it in the library for TLS.
    private const int PlainCost = 8 * 1024;
    private const int WebSocketCost = 48 * 1024;
    private const int TlsCost = 64 * 1024;

    // The request for a WebSocket; a browser sends the cookies of its site with it.
    private const int LongestHeaders = 16 * 1024;

    private readonly WebApplication _application;
    private readonly BrokerParts _parts;

    private Listeners(WebApplication application, BrokerParts parts, IReadOnlyList<IPEndPoint> endPoints) => (_application, _parts, EndPoints) = (application, parts, endPoints);

    /// <summary>Where they are.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints { get; }

    /// <summary>Starts to listen.</summary>
    public static async Task<Listeners> StartAsync(BrokerOptions broker, BrokerParts parts, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var started = new List<ListenOptions>();
        builder.WebHost.UseKestrelCore().UseSockets(Configure).ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestHeadersTotalSize = LongestHeaders;
            kestrel.Limits.RequestHeadersTimeout = parts.Limits.ConnectTimeout;
            kestrel.Limits.KeepAliveTimeout = parts.Limits.ConnectTimeout;
            foreach (var listener in broker.Listeners)
                kestrel.Listen(listener.EndPoint, options => started.Add(Configure(options, listener, broker, parts)));
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => new AdmittingTransport(
            new SocketTransportFactory(services.GetRequiredService<IOptions<SocketTransportOptions>>(), services.GetRequiredService<ILoggerFactory>()), parts.Admission));
        builder.Logging.AddProvider(new ListenerLog(parts.Fail));
        var application = builder.Build();
        application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        application.Run(context => WebSocketConnection.ServeAsync(context, parts));
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
        return new Listeners(application, parts, [.. started.Select(options => options.IPEndPoint!)]);
    }

    /// <summary>Accepts nobody any more, and takes leave of those who are here.</summary>
    public async Task StopAsync()
    {
        var stopping = _application.StopAsync(CancellationToken.None);
        _parts.Admission.Stop();
        foreach (var connection in _parts.Sessions.All())
            connection.Close(ReasonCode.ServerShuttingDown, "");
        await stopping;
        await _application.DisposeAsync();
    }

    /// <summary>Serves one connection.</summary>
    public static async Task ServeAsync(Connection connection, BrokerParts parts)
    {
        using (connection)
        {
            parts.Sessions.Enter(connection);
            await connection.RunAsync();
        }
    }

    private static void Configure(SocketTransportOptions sockets)
    {
        // A connection's work is short and waits for nothing but its own network: where bytes have come it is done at once, without a thread to be woken for it.
        sockets.UnsafePreferInlineScheduling = true;
        sockets.MaxReadBufferSize = ReadAhead;
        sockets.MaxWriteBufferSize = 1; // What was written is with the operating system: then the output can be ended.
    }

    private static ListenOptions Configure(ListenOptions options, ListenerOptions listener, BrokerOptions broker, BrokerParts parts)
    {
        options.Protocols = HttpProtocols.Http1;
        var scheme = (listener.IsWebSocket, listener.Tls) switch
        {
            (true, null) => "ws",
            (true, _) => "wss",
            (false, null) => "mqtt",
            (false, _) => "mqtts",
        };
        var cost = (listener.IsWebSocket ? WebSocketCost : PlainCost) + (listener.Tls is null ? 0 : TlsCost);
        options.Use(next => context => parts.Admission.ServeAsync(context, cost, next));
        if (broker.Proxies.Count > 0 && !listener.IsInside)
        {
            var gate = new ProxyGate(broker.Proxies, parts);
            options.Use(next => context => gate.ServeAsync(context, next));
        }
        if (listener.Tls is { } tls)
        {
            Guard(Speech.Tls);
            options.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Ask(tls, parts)), HandshakeTimeout = parts.Limits.ConnectTimeout });
        }
        if (listener.IsWebSocket)
        {
            Guard(Speech.Http);
            var check = new OriginCheck(broker.WebOrigins, listener.TakesAnyHost || !IPAddress.IsLoopback(listener.EndPoint.Address));
            options.Use(next => context =>
            {
                context.Features.Set(check);
                return next(context);
            });
        }
        else
        {
            options.Run(context => ServeAsync(new Connection(Transport.Of(context), PeerOf(context) with { IsInside = listener.IsInside }, parts, GuardOf(context, Speech.Mqtt)), parts));
        }
        return options;

        void Guard(Speech expected) => options.Use(next => context => PortGuard.ServeAsync(GuardOf(context, expected), context, next, parts));

        PortGuard GuardOf(ConnectionContext context, Speech expected) => new(expected, scheme, context.LocalEndPoint);
    }

    private static SslServerAuthenticationOptions Ask(Func<SslServerAuthenticationOptions> tls, BrokerParts parts)
    {
        try
        {
            return tls();
        }
        catch (Exception e)
        {
            parts.Refused(new Refusal(RefusalKind.Connection, "", ReasonCode.ServerUnavailable, $"there are no terms of TLS for it ({e.GetType().Name}: {e.Message})"));
            throw;
        }
    }

    private static Peer PeerOf(ConnectionContext context) =>
        new((context.RemoteEndPoint as IPEndPoint)?.Address, context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate) { Gone = context.ConnectionClosed };
}
