namespace Meanwhile.Trials.Benchmarking;

/// <summary>Runs scenarios, one after the other, each with processes and stores of its own.</summary>
internal sealed class Benchmark(BenchOptions options, TimeProvider time)
{
    /// <summary>Runs them.</summary>
    /// <param name="progress">Told how much of all is done, from 0 to 1, and what comes next.</param>
    public async Task<IReadOnlyList<ScenarioReport>> RunAsync(IReadOnlyList<Scenario> scenarios, Action<double, string> progress, CancellationToken stop)
    {
        List<ScenarioReport> reports = [];
        for (var i = 0; i < scenarios.Count; i++)
        {
            var steps = new Steps(scenarios[i].Name, (double)i / scenarios.Count, (i + 1.0) / scenarios.Count, progress);
            await using var environment = new BenchEnvironment(options, time);
            var report = await scenarios[i].RunAsync(environment, steps, options.Sizes ?? scenarios[i].Sizes, stop);
            reports.Add(report with { Notes = [.. report.Notes, .. environment.ProgramNotes] });
        }
        return reports;
    }
}
