using System.Net;
using System.Net.Sockets;
using Meanwhile.Logging;
using Meanwhile.Pipeline;
using Meanwhile.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Web;

/// <summary>Dashboard, API, metrics and health over HTTP, for reading only, in the data path's process.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private const int MostConnections = 256;

    // A topic has up to 64 KiB, and each byte may be written as three.
    private const int LongestRequestLine = 256 << 10;

    private readonly WebApplication _application;
    private readonly MetricsPage _metrics;
    private readonly PastApi _past;

    private WebServer(WebApplication application, MetricsPage metrics, PastApi past) => (_application, _metrics, _past) = (application, metrics, past);

    /// <summary>Starts to listen. That comes first of all, so that a start that takes its time can be watched.</summary>
    /// <param name="options">Where and to whom.</param>
    /// <param name="store">The name of the store, for questions about the past.</param>
    /// <param name="insight">What there is to see.</param>
    /// <param name="logger">For where it listens.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up starting.</param>
    /// <exception cref="UserException">It cannot listen there.</exception>
    public static async Task<WebServer> StartAsync(HttpOptions options, string store, Insight insight, ILogger logger, TimeProvider time, CancellationToken stop)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        ListenOptions? listening = null;
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestLineSize = LongestRequestLine;
            kestrel.Listen(options.Address, listen => (listening = listen).Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        var metrics = new MetricsPage(insight.Meter);
        var past = new PastApi(store, insight.Options, time, logger);
        var routes = Routes(past, insight, metrics, time, application.Lifetime.ApplicationStopping);
        application.Run(new Site([.. Assets.Routes, .. routes], new Access(options.Token), logger, new LogLimiter(time)).ServeAsync);
        try
        {
            await application.StartAsync(stop);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await new WebServer(application, metrics, past).DisposeAsync();
            if (options.AnyPortWillDo)
                return await StartAsync(options with { Address = new IPEndPoint(options.Address.Address, 0), AnyPortWillDo = false }, store, insight, logger, time, stop);
            throw new UserException($"--http: nothing can be served at {options.Address} ({e.Message}): expected a free port at an address of this machine", inner: e);
        }
        var endPoint = listening!.IPEndPoint!; // With the port that it got.
        Log.Serving(logger, new UriBuilder("http", endPoint.Address.ToString(), endPoint.Port).Uri);
        return new WebServer(application, metrics, past);
    }

    /// <summary>All that there is for programs.</summary>
    internal static IReadOnlyList<Route> Routes(PastApi past, Insight insight, MetricsPage metrics, TimeProvider time, CancellationToken stopping) =>
    [
        .. new Health(insight).Routes, metrics.Route, OpenApi.Route,
        .. new CurrentApi(insight, past, time).Routes, .. new StatusApi(insight, time).Routes, .. past.Routes, new HistoryApi(past, insight, time).Route,
        new EventStream(insight, time, stopping).Route,
    ];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(CancellationToken.None);
        await _application.DisposeAsync();
        _metrics.Dispose();
        _past.Dispose();
    }
}
