using Meanwhile.Trials.Processes;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>How many readings a second are published, committed, acknowledged and answered with a result; beside its limits, and beside what people would use instead.</summary>
internal static class IngestScenario
{
    public static async Task<ScenarioReport> RunAsync(BenchEnvironment environment, Steps steps, CancellationToken stop)
    {
        var options = environment.Options;
        List<string> notes = ["publishers, broker and program share this machine's processors: CPU is what a message costs each of them"];
        steps.Expect(1 + ((options.Rounds + 1) * (4 + environment.Programs.Count() + options.Beside.Count)));
        steps.Next("starting");
        List<Competitor> floors = [await environment.LoopbackAsync(Scenario.LoadOf(environment), stop), await BareSubscriberAsync()];
        List<Competitor> programs = [];
        foreach (var (name, program) in environment.Programs)
            programs.Add(await environment.ProgramAsync(name, program, Scenario.LoadOf(environment), rows: 0, moved: null, stop));
        List<Competitor> baselines = await OthersAsync(environment, notes, stop);

        var (runs, disk) = (new RoundResults(), new StoreFloors(environment));
        for (var round = 0; round <= options.Rounds; round++)
        {
            foreach (var competitor in (Competitor[])[.. floors, .. programs, .. baselines])
            {
                steps.Next($"round {round} of {options.Rounds}, {competitor.Name}");
                runs.Keep(competitor, round, await competitor.MeasureAsync(options.Duration, stop));
            }
            if (round == 0)
                continue;
            steps.Next($"round {round} of {options.Rounds}, SQLite and the disk");
            await disk.MeasureAsync(programs[0].Load.Options, runs.Of(programs[0])[^1], stop);
        }
        List<(string Name, IReadOnlyList<double> Rates)> limits = [.. floors.Select(floor => (floor.Name, runs.RatesOf(floor))), .. disk.Rates];
        List<Row> rows =
        [
            .. floors.Select(floor => Rows.Of(floor.Name, floor.Kind, size: null, runs.Of(floor), [])),
            .. disk.Report(size: null),
            .. runs.OfPrograms(programs, size: null, limits),
            .. baselines.Select(baseline => Rows.Of(baseline.Name, baseline.Kind, size: null, runs.Of(baseline), limits)),
        ];
        if (options.HasFile)
            notes.Add(StoreFloors.Note);
        List<string> findings = [];
        foreach (var competitor in (Competitor[])[.. floors, .. programs, .. baselines])
            findings.AddRange(await environment.EndAsync(competitor, stop));
        return new ScenarioReport("ingest", "messages of 41 bytes from 4 publishers on one topic", SizeName: null, Rows.Rate, rows, findings, notes);

        Task<Competitor> BareSubscriberAsync()
        {
            var load = Scenario.LoadOf(environment);
            return environment.SubscriberAsync(
                "broker alone", RowKind.Floor, program: null,
                broker => ["bench", "subscriber", "--broker", broker.ToString(), "--topic", PublishTemplate.FilterOf(load.Topic), "--qos", $"{options.Qos}", "--client-id", load.Topic.Replace('/', '-')],
                environment: null, publishesResults: false, load, stop);
        }
    }

    private static async Task<List<Competitor>> OthersAsync(BenchEnvironment environment, List<string> notes, CancellationToken stop)
    {
        List<Competitor> others = [];
        var load = Scenario.LoadOf(environment);
        if (InstalledProgram.Find("mosquitto_sub") is not { } mosquitto)
            notes.Add("mosquitto_sub is not installed");
        else if (environment.Options.Broker?.Password is not null)
            notes.Add("mosquitto_sub is left out: it takes the password on its command line only");
        else
            others.Add(await environment.SubscriberAsync("mosquitto_sub", RowKind.Baseline, mosquitto, broker => MosquittoArguments(broker, load), environment: null, publishesResults: false, load, stop));
        foreach (var command in environment.Options.Beside)
        {
            var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var (topic, database) = (environment.NewTopic(), await environment.Stores.NewAsync(stop));
            others.Add(await environment.SubscriberAsync(
                Path.GetFileNameWithoutExtension(words[^1]), RowKind.Baseline, words[0], _ => words.Skip(1), broker => Environment(broker, topic, database), publishesResults: true,
                Scenario.LoadOf(environment) with { Topic = topic }, stop));
        }
        return others;
    }

    private static IEnumerable<string> MosquittoArguments(Target broker, LoadOptions load) =>
    [
        "-h", broker.Host, "-p", $"{broker.Port}", "-t", PublishTemplate.FilterOf(load.Topic), "-q", $"{load.Qos}", "-N", "-F", ".", .. broker.UserName is { } name ? ["-u", name] : (string[])[],
    ];

    // As the seed's processes are told, and ours.
    private static IEnumerable<(string, string)> Environment(Target broker, string topic, string database) =>
    [
        ("BROKER", broker.Host), ("BROKER_PORT", $"{broker.Port}"), ("TOPIC", PublishTemplate.FilterOf(topic)), ("STATS_TOPIC", BenchEnvironment.ResultsOf(topic)), ("DB_FILE", database),
    ];
}
