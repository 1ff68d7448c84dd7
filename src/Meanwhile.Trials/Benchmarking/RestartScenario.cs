namespace Meanwhile.Trials.Benchmarking;

/// <summary>How long it takes from the start of the program until it answers a reading with a result that counts all that is stored.</summary>
internal static class RestartScenario
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(1);

    public static async Task<ScenarioReport> RunAsync(BenchEnvironment environment, Steps steps, IReadOnlyList<long> sizes, CancellationToken stop)
    {
        var programs = environment.Programs.ToList();
        steps.Expect(sizes.Count * (1 + ((1 + environment.Options.Rounds) * programs.Count)));
        (List<Row> rows, List<string> findings) = ([], []);
        Trial? empty = null;
        foreach (var size in sizes)
        {
            steps.Next($"preparing {size:N0} rows");
            var trial = new Trial(environment, size);
            await trial.PrepareAsync(stop);
            for (var round = 0; round <= environment.Options.Rounds; round++)
            {
                foreach (var (name, program) in programs)
                {
                    steps.Next($"round {round} of {environment.Options.Rounds}, {size:N0} rows, {name}");
                    await trial.MeasureAsync(name, program, round, stop);
                }
                trial.ReadBare(round);
            }
            if (size == 0)
                empty = trial;
            rows.AddRange(trial.Report(empty));
            findings.AddRange(trial.Findings);
        }
        return new ScenarioReport(
            "restart", "from the start of the process until the first new result, with so many rows stored", "rows", "seconds", rows, findings,
            [
                "of the rows, five sevenths are in the windows; the others are read as well",
                .. empty is null ? (string[])[] : ["rows/s: without the time of a start with no rows"],
            ]);
    }

    private sealed class Trial(BenchEnvironment environment, long size)
    {
        private readonly string _topic = environment.NewTopic();
        private readonly Dictionary<string, List<(double Seconds, double Cpu)>> _rounds = new(StringComparer.Ordinal);
        private readonly List<double> _reads = [];
        private string _database = "";
        private int _before;
        private int _sent;

        public List<string> Findings { get; } = [];

        public async Task PrepareAsync(CancellationToken stop)
        {
            _database = await environment.Stores.NewAsync(stop);
            _before = await environment.Stores.FillAsync(environment.Programs.First().Program, _database, _topic, size, stop);
        }

        public async Task MeasureAsync(string name, string? program, int round, CancellationToken stop)
        {
            var start = environment.Time.GetTimestamp();
            var (competitor, broker, log) = await environment.StartProgramAsync(name, program, _topic, _database, stop);
            var load = await LoadGenerator.ConnectAsync(broker, Scenario.LoadOf(environment) with { Topic = _topic, Publishers = 1 }, environment.Time, stop);
            competitor.Connect(load, await ResultReader.StartAsync(broker, BenchEnvironment.ResultsOf(_topic), 1, moved: null, stop));
            await load.PublishAsync(1, stop);
            _sent++;
            while (competitor.Results!.Results == 0 && !competitor.Process.HasExited && environment.Time.GetElapsedTime(start) < Patience)
                await Task.Delay(LookInterval, environment.Time, stop);
            var (seconds, cpu) = (environment.Time.GetElapsedTime(start).TotalSeconds, competitor.Process.ProcessorTime.TotalSeconds);
            await load.DrainAsync(stop);
            if (competitor.Results.Counts[0] != _before + _sent)
                Findings.Add($"{name}: the first result after {size:N0} rows counts {competitor.Results.Counts[0]:N0}, expected {_before + _sent:N0}");
            if (await competitor.Process.StopAsync(stop) != 0)
                Findings.Add($"{name} did not stop in good order ({competitor.Process.Ending})");
            Findings.AddRange(LoadChecker.OfLedger(load.Sent, environment.Options.Qos, BenchEnvironment.LedgerIn(log)).Select(finding => $"{name}: {finding}"));
            await environment.ForgetAsync(competitor);
            if (round == 0)
                return;
            if (!_rounds.TryGetValue(name, out var rounds))
                _rounds.Add(name, rounds = []);
            rounds.Add((seconds, cpu));
        }

        /// <summary>Reads the same rows without a program.</summary>
        public void ReadBare(int round)
        {
            if (round == 0 || size == 0 || !environment.Options.HasFile)
                return;
            var start = environment.Time.GetTimestamp();
            BareTable.Read(_database);
            _reads.Add(size / environment.Time.GetElapsedTime(start).TotalSeconds);
        }

        /// <summary>What was found out.</summary>
        /// <param name="empty">The starts with no rows; null where there were none.</param>
        public IEnumerable<Row> Report(Trial? empty) =>
        [
            .. _reads.Count == 0 ? (Row[])[] : [new Row("bare SQLite", RowKind.Floor, size, [new Figure("seconds", "s", [.. _reads.Select(rate => size / rate)]), new Figure("rows/s", "rows/s", _reads)])],
            .. _rounds.Select(program => Report(program.Key, program.Value, empty?._rounds[program.Key], _rounds.First().Key)),
        ];

        private Row Report(string name, List<(double Seconds, double Cpu)> rounds, List<(double Seconds, double Cpu)>? starts, string first)
        {
            List<Figure> figures = [new("seconds", "s", [.. rounds.Select(round => round.Seconds)]), new("CPU", "s", [.. rounds.Select(round => round.Cpu)])];
            if (size > 0)
                figures.Add(new Figure("rows/s", "rows/s", [.. rounds.Select((round, i) => size / Math.Max(1e-3, round.Seconds - (starts?[i].Seconds ?? 0)))]));
            if (_reads.Count > 0)
                figures.Add(Rows.Ratio("bare SQLite", figures[^1], _reads));
            if (name != first)
                figures.Add(Rows.Ratio(first, figures[0], [.. _rounds[first].Select(round => round.Seconds)]));
            return new Row(name, RowKind.Program, size, figures);
        }
    }
}
