namespace Meanwhile.Trials.Benchmarking;

/// <summary>What one round of a competitor took.</summary>
/// <param name="Messages">That were taken in.</param>
/// <param name="Seconds">Until the last of them was acknowledged, and its result was there.</param>
/// <param name="Cpu">Of the competitor, microseconds a message.</param>
/// <param name="BrokerCpu">Of a broker of ours beside it; NaN where there is none, or it is somebody else's.</param>
/// <param name="LoadCpu">Of the publishers.</param>
/// <param name="Batch">Messages a result, so readings a commit of one series; NaN without results.</param>
/// <param name="ResidentMebibytes">That the competitor holds afterwards.</param>
internal sealed record RoundResult(long Messages, double Seconds, double Cpu, double BrokerCpu, double LoadCpu, double Batch, double ResidentMebibytes)
{
    public double Rate => Messages / Seconds;
}

/// <summary>The runs of competitors that take turns.</summary>
internal sealed class RoundResults
{
    private readonly Dictionary<Competitor, List<RoundResult>> _runs = [];

    /// <summary>Keeps a run, unless it was for warming up.</summary>
    public void Keep(Competitor competitor, int round, RoundResult run)
    {
        if (round == 0)
            return;
        if (!_runs.TryGetValue(competitor, out var runs))
            _runs.Add(competitor, runs = []);
        runs.Add(run);
    }

    public IReadOnlyList<RoundResult> Of(Competitor competitor) => _runs[competitor];

    public IReadOnlyList<double> RatesOf(Competitor competitor) => [.. _runs[competitor].Select(run => run.Rate)];

    /// <summary>A row for each build of this program; those after the first are compared with it as well.</summary>
    public IEnumerable<Row> OfPrograms(IReadOnlyList<Competitor> programs, long? size, IReadOnlyList<(string Name, IReadOnlyList<double> Rates)> floors) => programs.Select((program, i) =>
        Rows.Of(program.Name, program.Kind, size, Of(program), i == 0 ? floors : [.. floors, (programs[0].Name, RatesOf(programs[0]))]));
}
