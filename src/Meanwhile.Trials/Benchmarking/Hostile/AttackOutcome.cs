using HdrHistogram;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>What an attack did.</summary>
/// <param name="Latencies">Times until the good client was acknowledged during the attack, in microseconds.</param>
/// <param name="Login">The longest time that a new login took during the attack.</param>
/// <param name="ResidentBefore">Resident memory of the server before the attack, in MiB.</param>
/// <param name="PeakResident">Its highest resident memory, in MiB.</param>
internal sealed record AttackOutcome(LongHistogram Latencies, TimeSpan Login, double ResidentBefore, double PeakResident)
{
    /// <summary>Its resident memory when everything was as before, in MiB.</summary>
    public double ResidentAfter { get; init; }

    /// <summary>The time from the end of the attack until everything was as before.</summary>
    public TimeSpan Recovery { get; init; }

    /// <summary>The time from SIGTERM to the end of the process.</summary>
    public TimeSpan End { get; init; }

    /// <summary>What must never happen, however slow the machine is.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>A percentile of the times until the good client was acknowledged, in milliseconds.</summary>
    public double Milliseconds(double percentile) => Latencies.TotalCount == 0 ? 0 : Latencies.GetValueAtPercentile(percentile) / 1e3;
}
