namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>What good clients notice of attacks: one attack after the other, each on a new server.</summary>
internal static class HostileScenario
{
    private const double MostMemory = (AttackedServer.MaxMemory >> 20) + 100;

    // A goal is named by its figure.
    private static readonly (string Figure, string Unit, double Most, Func<AttackOutcome, double> Of)[] Figures =
    [
        ("PUBACK p99", "ms", 20, outcome => outcome.Milliseconds(99)),
        ("p50", "ms", double.PositiveInfinity, outcome => outcome.Milliseconds(50)),
        ("max", "ms", double.PositiveInfinity, outcome => outcome.Milliseconds(100)),
        ("new login", "s", 1, outcome => outcome.Login.TotalSeconds),
        ("memory before", "MiB", double.PositiveInfinity, outcome => outcome.ResidentBefore),
        ("peak", "MiB", MostMemory, outcome => outcome.PeakResident),
        ("after", "MiB", double.PositiveInfinity, outcome => outcome.ResidentAfter),
        ("as before in", "s", 5, outcome => outcome.Recovery.TotalSeconds),
        ("SIGTERM", "s", 5, outcome => outcome.End.TotalSeconds),
    ];

    /// <summary>All attacks.</summary>
    public static IReadOnlyList<Attack> Attacks { get; } =
    [
        new("none", "no attack", "", (_, _) => Task.CompletedTask),
        .. Strangers.All, .. Publishers.All, .. Subscribers.All, .. Readers.All,
    ];

    public static async Task<ScenarioReport> RunAsync(BenchEnvironment environment, Steps steps, IReadOnlyList<long> percents, CancellationToken stop)
    {
        var attacks = environment.Options.Attacks.Count == 0 ? Attacks : [.. Attacks.Where(attack => environment.Options.Attacks.Contains(attack.Key, StringComparer.Ordinal))];
        var programs = environment.Programs.ToList();
        steps.Expect(percents.Count * attacks.Count * programs.Count * environment.Options.Rounds);
        (List<Row> rows, List<string> findings) = ([], []);
        foreach (var (percent, attack) in percents.SelectMany(percent => attacks.Select(attack => (percent, attack))))
        {
            foreach (var (name, program) in programs)
            {
                List<AttackOutcome> outcomes = [];
                for (var round = 1; round <= environment.Options.Rounds; round++)
                {
                    steps.Next($"round {round} of {environment.Options.Rounds}, {attack.Name}");
                    outcomes.Add(await new AttackTrial(environment, program, attack, percent).RunAsync(stop));
                }
                rows.Add(Report(programs.Count == 1 ? attack.Name : $"{attack.Name}, {name}", attack, percent, outcomes));
                findings.AddRange(FindingsOf(outcomes).Select(finding => $"{rows[^1].Name}: {finding}"));
            }
        }
        return new ScenarioReport(
            "hostile", "a good client publishes 200 readings per second at QoS 1 and new users log in, while the server is attacked", "%", "PUBACK p99", rows, findings,
            [
                "the server runs with --max-memory 200 MiB; memory is the resident memory of the process",
                $"goals: {string.Join(", ", Figures.Where(figure => double.IsFinite(figure.Most)).Select(figure => $"{figure.Figure} at most {figure.Most:N0} {figure.Unit}"))}; good clients are never refused",
                "'*': the store is locked during the attack, so only what follows is judged",
            ]);
    }

    private static Row Report(string name, Attack attack, long percent, List<AttackOutcome> outcomes)
    {
        List<Figure> figures = [.. Figures.Select(figure => new Figure(figure.Figure, figure.Unit, [.. outcomes.Select(figure.Of)]))];
        var missed = Figures.Zip(figures).Where(pair => pair.Second.Median > pair.First.Most && !(attack.EndsService && pair.First.Figure is "PUBACK p99" or "new login")).Select(pair => pair.First.Figure)
            .Concat(outcomes.Exists(outcome => outcome.Findings.Count > 0) ? ["see findings"] : (string[])[]).ToList();
        return new Row(name + (attack.EndsService ? " *" : ""), RowKind.Program, percent, figures)
        {
            Remarks = [("goals", missed.Count == 0 ? "held" : $"MISSED: {string.Join(", ", missed)}"), ("held by", attack.HeldBy)],
        };
    }

    private static IEnumerable<string> FindingsOf(List<AttackOutcome> outcomes) => outcomes
        .SelectMany(outcome => outcome.PeakResident > MostMemory ? outcome.Findings.Prepend($"the server used {outcome.PeakResident:N0} MiB, expected at most {MostMemory:N0}") : outcome.Findings)
        .Distinct(StringComparer.Ordinal);
}
