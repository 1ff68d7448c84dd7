using Meanwhile.Logging;
using Meanwhile.Stores;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Web;

/// <summary>Finds who answers a request, and makes problems of what goes wrong.</summary>
internal sealed class Site(IEnumerable<Route> routes, Access access, ILogger logger, LogLimiter limiter)
{
    private readonly Dictionary<string, Route> _routes = routes.ToDictionary(route => route.Path, StringComparer.Ordinal);

    /// <summary>Answers a request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await Find(context).Serve(context);
        }
        catch (OperationCanceledException)
        {
            context.Abort(); // The reader has gone, or we are about to.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await Describe(e).WriteAsync(context);
        }
    }

    private Route Find(HttpContext context)
    {
        var request = context.Request;
        var route = _routes.GetValueOrDefault(request.Path.Value ?? "");
        if (route is not { IsOpen: true })
            access.Check(context);
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
