using System.Net;
using System.Net.Sockets;
using Meanwhile.Logging;
using Meanwhile.Pipeline;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Web;

/// <summary>Dashboard, API, metrics and health over HTTP, for reading only, in the data path's process.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ApiEndpoints _endpoints;

    private WebServer(WebApplication application, ApiEndpoints endpoints) => (_application, _endpoints) = (application, endpoints);

    /// <summary>Starts to listen. That comes first of all, so that a start that takes its time can be watched.</summary>
    /// <param name="options">Where and to whom.</param>
    /// <param name="store">The name of the store, for questions about the past.</param>
    /// <param name="status">What there is to see.</param>
    /// <param name="logger">For where it listens.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up starting.</param>
    /// <exception cref="UserException">It cannot listen there.</exception>
    public static async Task<WebServer> StartAsync(HttpOptions options, string store, PipelineStatus status, ILogger logger, TimeProvider time, CancellationToken stop)
    {
        var (connections, memory) = (new ConnectionLimiter(), new ResponseMemory(time));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        ListenOptions? listening = null;
        builder.WebHost.UseKestrelCore().UseSockets(ServerLimits.Apply).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            ServerLimits.Apply(kestrel.Limits);
            kestrel.Listen(options.Address, listen =>
            {
                (listening = listen).Protocols = HttpProtocols.Http1;
                listen.Use(next => connection => connections.ServeAsync(connection, next));
            });
        });
        builder.Services.Configure<HostOptions>(ServerLimits.Apply);
        var application = builder.Build();
        var endpoints = new ApiEndpoints(store, status, logger, time, application.Lifetime.ApplicationStopping);
        var router = new RequestRouter([.. Assets.Routes, .. endpoints.Routes], new RequestAuthorization(options.Token), connections, memory, logger, new LogLimiter(time));
        application.Run(router.ServeAsync);
        try
        {
            await application.StartAsync(stop);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await new WebServer(application, endpoints).DisposeAsync();
            if (options.AnyPortWillDo)
                return await StartAsync(options with { Address = new IPEndPoint(options.Address.Address, 0), AnyPortWillDo = false }, store, status, logger, time, stop);
            throw new UserException($"--http: nothing can be served at {options.Address} ({e.Message}): expected a free port at an address of this machine", inner: e);
        }
        router.Measure(status.Meter);
        status.ResponseBytes = () => memory.Held;
        var endPoint = listening!.IPEndPoint!; // With the port that it got.
        Log.Serving(logger, new UriBuilder("http", endPoint.Address.ToString(), endPoint.Port).Uri);
        return new WebServer(application, endpoints);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(CancellationToken.None);
        await _application.DisposeAsync();
        _endpoints.Dispose();
    }
}
