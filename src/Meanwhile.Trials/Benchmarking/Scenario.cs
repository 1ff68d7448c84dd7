using Meanwhile.Trials.Benchmarking.Hostile;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>Something to measure.</summary>
/// <param name="Name">As the command line has it.</param>
/// <param name="Description">For the help.</param>
/// <param name="Sizes">What it is measured at, unless told otherwise; empty where there is one size only.</param>
/// <param name="Bounds">Of sizes.</param>
/// <param name="RunAsync">Measures it.</param>
/// <param name="IsOfHighestRate">Sizes are percents of a highest rate, which can be given.</param>
/// <param name="Fault">What a finding is.</param>
internal sealed record Scenario(string Name, string Description, IReadOnlyList<long> Sizes, (long Least, long Most) Bounds, Func<BenchEnvironment, Steps, IReadOnlyList<long>, CancellationToken, Task<ScenarioReport>> RunAsync,
    bool IsOfHighestRate = false, string Fault = "messages are not accounted for")
{
    /// <summary>Those that measure speed.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("ingest", "publish, commit, acknowledge, publish the result: as fast as it goes, beside its limits and other subscribers", [], (0, 0), (environment, steps, _, stop) => IngestScenario.RunAsync(environment, steps, stop)),
        new("latency", "from publishing to the result, at so many percent of the highest rate", [10, 50, 90], (1, 1000), LatencyScenario.RunAsync, IsOfHighestRate: true),
        Sweep.Series,
        Sweep.History,
        Sweep.Clients,
        Sweep.Payload,
        new("restart", "from the start until the first new result, with so many rows stored", [0, 100_000, 1_000_000], (0, 100_000_000), RestartScenario.RunAsync),
    ];

    /// <summary>The one that attacks.</summary>
    public static Scenario Hostile { get; } = new(
        "hostile", "attacks on the server, each at a percentage of its full size: memory, and what good clients notice", [100], (1, 1000), HostileScenario.RunAsync, Fault: "the server did not hold up");

    /// <summary>The load of a scenario that does not vary it: some publishers of one series, with as many messages in flight as brokers let a client have.</summary>
    public static LoadOptions LoadOf(BenchEnvironment environment) => new(environment.NewTopic(), Publishers: 4, Series: 1, environment.Options.Qos, InFlight: 1000, PublishTemplate.LeastBytes);
}
