using System.Diagnostics.Metrics;
using Meanwhile.Logging;
using Meanwhile.Stores;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Web;

/// <summary>Finds who answers a request, and makes problems of what goes wrong.</summary>
internal sealed class RequestRouter(IEnumerable<Route> routes, RequestAuthorization authorization, ConnectionLimiter connections, ResponseMemory memory, ILogger logger, LogLimiter limiter)
{
    private readonly Dictionary<string, Route> _routes = routes.ToDictionary(route => route.Path, StringComparer.Ordinal);

    private long _refused;

    /// <summary>Lets it be seen what readers take.</summary>
    public void Measure(Meter meter)
    {
        meter.CreateObservableGauge("meanwhile.http.connections", () => connections.Count, "{connection}", "Connections to dashboard, API and metrics.");
        meter.CreateObservableGauge("meanwhile.http.answers", () => memory.Held, "By", "What answers hold that their readers have not taken yet.");
        meter.CreateObservableCounter("meanwhile.http.refused", () => Volatile.Read(ref _refused), "{request}", "Requests that were told to come again (429).");
        meter.CreateObservableCounter("meanwhile.http.dismissed", () => connections.Dismissed, "{connection}", "Connections that made room for others before they had sent a request.");
    }

    /// <summary>Answers a request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Features.Set(memory);
        try
        {
            await ServeAsync(context, Find(context));
        }
        catch (OperationCanceledException)
        {
            context.Abort(); // The reader has gone, or we are about to.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var problem = Describe(e);
            if (problem.Status == StatusCodes.Status429TooManyRequests)
                Refuse(context, problem);
            await problem.WriteAsync(context);
        }
    }

    private async Task ServeAsync(HttpContext context, Route route)
    {
        if (route.IsForWatchers)
        {
            await route.Serve(context);
            return;
        }
        var connection = context.Features.GetRequiredFeature<WebConnection>();
        connections.Begin(connection);
        try
        {
            await route.Serve(context);
        }
        finally
        {
            connections.End(connection);
        }
    }

    private Route Find(HttpContext context)
    {
        var request = context.Request;
        var route = _routes.GetValueOrDefault(request.Path.Value ?? "");
        if (route is not { IsOpen: true })
            authorization.Check(context);
        if (route is null)
            throw new ProblemException(StatusCodes.Status404NotFound, "there is nothing at this path: /openapi.json describes what there is");
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            throw new ProblemException(StatusCodes.Status405MethodNotAllowed, "this is for reading only: expected GET");
        }
        Parameters.Check(request.Query, route.Parameters);
        return route;
    }

    private void Refuse(HttpContext context, ProblemException problem)
    {
        Interlocked.Increment(ref _refused);
        context.Response.Headers.Connection = "close"; // Who asks for too much shall not have the next request ready.
        if (limiter.MayLog("429", out var repeated))
            Log.RequestRefused(logger, problem.Message, repeated);
    }

    private ProblemException Describe(Exception e)
    {
        switch (e)
        {
            case ProblemException problem:
                return problem;
            case StoreException or UserException:
                return ProblemException.NotNow($"the store cannot be read: {e.Message}");
            default:
                if (limiter.MayLog(e.GetType().Name, out var repeated))
                    Log.RequestFailed(logger, e.GetType().Name, e.Message, repeated);
                return new ProblemException(StatusCodes.Status500InternalServerError, "this should not have happened, please report it; the log says more");
        }
    }
}
