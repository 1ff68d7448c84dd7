using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Meanwhile.Tests.Support;

/// <summary>What one export had: how it came, and its protobuf message.</summary>
internal sealed record OtlpRequest(string Path, string? ContentType, string? Key, ProtobufFields Message);

/// <summary>One data point of a metric; a histogram's value is its count.</summary>
internal sealed record OtlpPoint(string Metric, string Unit, string Attributes, double Value);

/// <summary>A span.</summary>
internal sealed record OtlpSpan(string Trace, string Id, string Parent, string Name, string Attributes);

/// <summary>A collector that keeps what is sent to it, by HTTP/1.1 with protobuf or by gRPC without TLS.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const string Metrics = "metrics";
    private const string Traces = "trace";
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<OtlpRequest> _requests = new();

    private OtlpReceiver(WebApplication application) => _application = application;

    /// <summary>Its address.</summary>
    public string Address => _application.Urls.Single();

    /// <summary>It takes requests and does not answer them.</summary>
    public bool IsStuck { get; set; }

    public IReadOnlyList<OtlpRequest> Requests => [.. _requests];

    /// <summary>The points of all exports so far, the newest last.</summary>
    public IEnumerable<OtlpPoint> Points => Requests.Where(request => request.Path.Contains(Metrics, StringComparison.Ordinal)).SelectMany(PointsOf);

    public IEnumerable<OtlpSpan> Spans =>
        from request in Requests
        where request.Path.Contains(Traces, StringComparison.Ordinal)
        from resource in request.Message.Messages(1)
        from scope in resource.Messages(2)
        from span in scope.Messages(2)
        select new OtlpSpan(span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), Attributes(span.Messages(9)));

    /// <summary>Starts one.</summary>
    public static async Task<OtlpReceiver> StartAsync(bool isGrpc = false)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var receiver = new OtlpReceiver(builder.Build());
        receiver._application.Run(context => receiver.TakeAsync(context, isGrpc));
        await receiver._application.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>The points of one export.</summary>
    public static IEnumerable<OtlpPoint> PointsOf(OtlpRequest request) =>
        from resource in request.Message.Messages(1)
        from scope in resource.Messages(2)
        from metric in scope.Messages(2)
        from point in PointsOf(metric)
        select point;

    /// <summary>The attributes of the resources of all exports.</summary>
    public IEnumerable<string> Resources => Requests.SelectMany(request => request.Message.Messages(1)).SelectMany(resource => resource.Messages(1)).Select(resource => Attributes(resource.Messages(1)));

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context, bool isGrpc)
    {
        if (IsStuck)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var message = body.ToArray().AsMemory(isGrpc ? 5 : 0); // Whether it is compressed, and its length.
        _requests.Enqueue(new OtlpRequest(context.Request.Path, context.Request.ContentType, context.Request.Headers["x-key"], new ProtobufFields(message)));
        context.Response.ContentType = context.Request.ContentType;
        if (!isGrpc)
            return;
        await context.Response.Body.WriteAsync(new byte[5], context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static IEnumerable<OtlpPoint> PointsOf(ProtobufFields metric)
    {
        var (name, unit) = (metric.Text(1), metric.Text(3));
        foreach (var point in metric.Messages(5).Concat(metric.Messages(7)).SelectMany(kind => kind.Messages(1))) // Gauges and sums.
            yield return new OtlpPoint(name, unit, Attributes(point.Messages(7)), point.Number(4) is { } bits ? BitConverter.UInt64BitsToDouble(bits) : (long)point.Number(6)!.Value);
        foreach (var point in metric.Messages(9).SelectMany(kind => kind.Messages(1)))
            yield return new OtlpPoint(name, unit, Attributes(point.Messages(9)), point.Number(4)!.Value);
    }

    private static string Attributes(IEnumerable<ProtobufFields> pairs) => string.Join(',', pairs.Select(pair => $"{pair.Text(1)}={Value(pair.Messages(2).Single())}").Order(StringComparer.Ordinal));

    private static string Value(ProtobufFields value) => value.Number(3) is { } number ? number.ToString() : value.Text(1);
}
