namespace Meanwhile.Trials.Benchmarking;

/// <summary>What one round of a contender took.</summary>
/// <param name="Messages">That were taken in.</param>
/// <param name="Seconds">Until the last of them was acknowledged, and its result was there.</param>
/// <param name="Cpu">Of the contender, microseconds a message.</param>
/// <param name="BrokerCpu">Of a broker of ours beside it; NaN where there is none, or it is somebody else's.</param>
/// <param name="LoadCpu">Of the publishers.</param>
/// <param name="Batch">Messages a result, so readings a commit of one series; NaN without results.</param>
/// <param name="ResidentMebibytes">That the contender holds afterwards.</param>
internal sealed record Run(long Messages, double Seconds, double Cpu, double BrokerCpu, double LoadCpu, double Batch, double ResidentMebibytes)
{
    public double Rate => Messages / Seconds;
}

/// <summary>The runs of contenders that take turns.</summary>
internal sealed class RunLists
{
    private readonly Dictionary<Contender, List<Run>> _runs = [];

    /// <summary>Keeps a run, unless it was for warming up.</summary>
    public void Keep(Contender contender, int round, Run run)
    {
        if (round == 0)
            return;
        if (!_runs.TryGetValue(contender, out var runs))
            _runs.Add(contender, runs = []);
        runs.Add(run);
    }

    public IReadOnlyList<Run> Of(Contender contender) => _runs[contender];

    public IReadOnlyList<double> RatesOf(Contender contender) => [.. _runs[contender].Select(run => run.Rate)];

    /// <summary>A row for each build of this program; those after the first are compared with it as well.</summary>
    public IEnumerable<Row> OfPrograms(IReadOnlyList<Contender> programs, long? size, IReadOnlyList<(string Name, IReadOnlyList<double> Rates)> floors) => programs.Select((program, i) =>
        Rows.Of(program.Name, program.Kind, size, Of(program), i == 0 ? floors : [.. floors, (programs[0].Name, RatesOf(programs[0]))]));
}
