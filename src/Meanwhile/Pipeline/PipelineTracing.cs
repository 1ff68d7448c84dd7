using System.Diagnostics;

namespace Meanwhile.Pipeline;

/// <summary>Spans of the data path's turns, for those who collect traces: one a batch, with its parts, and none a message. While nobody collects them, nothing is made.</summary>
internal static class PipelineTracing
{
    /// <summary>The name of their source.</summary>
    public const string SourceName = "Meanwhile";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>A turn begins.</summary>
    public static Activity? Turn() => Source.StartActivity("batch");

    /// <summary>A part of the turn begins.</summary>
    public static Activity? Part(string name) => Source.HasListeners() && Activity.Current is { Recorded: true } ? Source.StartActivity(name) : null;

    /// <summary>Says what the turn is about. One that has collected nothing is of no interest to anybody.</summary>
    public static void Describe(this Activity? turn, BatchBuilder builder)
    {
        if (turn is null)
            return;
        if (builder.Deliveries.Count == 0)
        {
            turn.IsAllDataRequested = false;
            turn.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            return;
        }
        turn.SetTag("meanwhile.deliveries", builder.Deliveries.Count);
        turn.SetTag("meanwhile.readings", builder.Batch.Readings.Count);
        turn.SetTag("meanwhile.quarantined", builder.Batch.Quarantined.Count);
    }

    /// <summary>An attempt to commit has failed; another one follows.</summary>
    public static void Fail(this Activity? commit, string reason) => commit?.AddEvent(new ActivityEvent("failed", tags: new ActivityTagsCollection { ["reason"] = reason }));
}
