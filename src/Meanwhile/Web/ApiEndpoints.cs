using Meanwhile.Pipeline;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Web;

/// <summary>The paths for programs, and what they are made with.</summary>
internal sealed class ApiEndpoints : IDisposable
{
    // Shared by all large answers.
    private readonly SemaphoreSlim _processors = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly MetricsPage _metrics;
    private readonly PastApi _past;
    private readonly CurrentApi _current;

    /// <summary>Puts it together.</summary>
    /// <param name="store">The name of the store, for questions about the past.</param>
    /// <param name="status">What there is to see.</param>
    /// <param name="logger">For what the store leaves out.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stopping">The server is about to end.</param>
    public ApiEndpoints(string store, PipelineStatus status, ILogger logger, TimeProvider time, CancellationToken stopping)
    {
        _metrics = new MetricsPage(status.Meter, _processors);
        _past = new PastApi(store, status.Options, time, logger, _processors);
        _current = new CurrentApi(status, _past, time, _processors);
        Routes =
        [
            .. new Health(status).Routes, _metrics.Route, OpenApi.Route,
            .. _current.Routes, .. new StatusApi(status, time).Routes, .. _past.Routes, new HistoryApi(_past, status, time).Route,
            new EventStream(status, time, stopping).Route,
        ];
    }

    /// <summary>Who answers what.</summary>
    public IReadOnlyList<Route> Routes { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _metrics.Dispose();
        _past.Dispose();
        _current.Dispose();
        _processors.Dispose();
    }
}
