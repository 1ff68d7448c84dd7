using HdrHistogram;

namespace Meanwhile.Benchmarking.Hostile;

/// <summary>What an attack has done.</summary>
/// <param name="Latencies">Of the good client's acknowledgements meanwhile, microseconds.</param>
/// <param name="Login">The longest that a new good login took meanwhile.</param>
/// <param name="ResidentBefore">What the server held before, MiB.</param>
/// <param name="PeakResident">What it has held at most, MiB.</param>
internal sealed record AttackOutcome(LongHistogram Latencies, TimeSpan Login, double ResidentBefore, double PeakResident)
{
    /// <summary>What it held when all was as before, MiB.</summary>
    public double ResidentAfter { get; init; }

    /// <summary>From the end of the attack until all was as before.</summary>
    public TimeSpan Recovery { get; init; }

    /// <summary>From SIGTERM until the process had ended.</summary>
    public TimeSpan End { get; init; }

    /// <summary>What must never be, whatever the machine.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>How long acknowledgements took, in milliseconds.</summary>
    public double Milliseconds(double percentile) => Latencies.TotalCount == 0 ? 0 : Latencies.GetValueAtPercentile(percentile) / 1e3;
}
