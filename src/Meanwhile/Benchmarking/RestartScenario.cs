namespace Meanwhile.Benchmarking;

/// <summary>How long it takes from the start of the program until it answers a reading with a result that counts all that is stored.</summary>
internal static class RestartScenario
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(1);

    public static async Task<ScenarioReport> RunAsync(Stage stage, Steps steps, IReadOnlyList<long> sizes, CancellationToken stop)
    {
        steps.Expect(sizes.Count * (2 + stage.Options.Rounds));
        (List<Row> rows, List<string> findings) = ([], []);
        IReadOnlyList<double>? starts = null;
        foreach (var size in sizes)
        {
            steps.Next($"preparing {size:N0} rows");
            var trial = new Trial(stage, size);
            await trial.PrepareAsync(stop);
            foreach (var (name, program) in stage.Programs)
            {
                for (var round = 0; round <= stage.Options.Rounds; round++)
                {
                    steps.Next($"round {round} of {stage.Options.Rounds}, {size:N0} rows");
                    await trial.MeasureAsync(name, program, round, stop);
                }
                rows.AddRange(trial.Report(name, starts));
            }
            if (size == 0)
                starts = [.. rows.First(row => row.Kind == RowKind.Program).Figures[0].Rounds];
            findings.AddRange(trial.Findings);
        }
        return new ScenarioReport(
            "restart", "from the start of the process until the first new result, with so many rows stored", "rows", "seconds", rows, findings,
            [
                "of the rows, five sevenths are in the windows; the others are read as well",
                .. starts is null ? (string[])[] : ["rows/s: without the time of a start with no rows"],
            ]);
    }

    private sealed class Trial(Stage stage, long size)
    {
        private readonly string _topic = stage.NewTopic();
        private readonly List<(double Seconds, double Cpu)> _rounds = [];
        private readonly List<double> _reads = [];
        private string _database = "";
        private int _before;
        private int _sent;

        public List<string> Findings { get; } = [];

        public async Task PrepareAsync(CancellationToken stop)
        {
            _database = await stage.Stores.NewAsync(stop);
            _before = await stage.Stores.FillAsync(_database, _topic, size, stop);
        }

        public async Task MeasureAsync(string name, string? program, int round, CancellationToken stop)
        {
            if (round == 0)
                _rounds.Clear();
            var start = stage.Time.GetTimestamp();
            var (contender, broker, log) = await stage.StartProgramAsync(name, program, _topic, _database, stop);
            var load = await Load.ConnectAsync(broker, Scenario.LoadOf(stage) with { Topic = _topic, Publishers = 1 }, stage.Time, stop);
            contender.Connect(load, await ResultReader.StartAsync(broker, Stage.ResultsOf(_topic), 1, moved: null, stop));
            await load.PublishAsync(1, stop);
            _sent++;
            while (contender.Results!.Results == 0 && !contender.Process.HasExited && stage.Time.GetElapsedTime(start) < Patience)
                await Task.Delay(LookInterval, stage.Time, stop);
            var (seconds, cpu) = (stage.Time.GetElapsedTime(start).TotalSeconds, contender.Process.ProcessorTime.TotalSeconds);
            await load.DrainAsync(stop);
            if (contender.Results.Counts[0] != _before + _sent)
                Findings.Add($"{name}: the first result after {size:N0} rows counts {contender.Results.Counts[0]:N0}, expected {_before + _sent:N0}");
            if (await contender.Process.StopAsync(stop) != ExitCode.Success)
                Findings.Add($"{name} did not stop in good order ({contender.Process.Ending})");
            Findings.AddRange(Account.OfLedger(load.Sent, stage.Options.Qos, Stage.LedgerIn(log)).Select(finding => $"{name}: {finding}"));
            await stage.ForgetAsync(contender);
            if (round == 0)
                return;
            _rounds.Add((seconds, cpu));
            if (stage.Options.HasFile)
                _reads.Add(ReadBare());
        }

        public IEnumerable<Row> Report(string name, IReadOnlyList<double>? starts)
        {
            List<Figure> figures = [new("seconds", "s", [.. _rounds.Select(round => round.Seconds)]), new("CPU", "s", [.. _rounds.Select(round => round.Cpu)])];
            if (size == 0)
                return [new Row(name, RowKind.Program, size, figures)];
            var all = (double)size;
            var rates = new Figure("rows/s", "rows/s", [.. _rounds.Select((round, i) => all / Math.Max(1e-3, round.Seconds - (starts?[i] ?? 0)))]);
            figures.Add(rates);
            if (_reads.Count == 0)
                return [new Row(name, RowKind.Program, size, figures)];
            var reads = _reads.TakeLast(_rounds.Count).ToList();
            figures.Add(Rows.Ratio("bare SQLite", rates, [.. reads.Select(read => all / read)]));
            return
            [
                new Row("bare SQLite", RowKind.Floor, size, [new Figure("seconds", "s", reads), new Figure("rows/s", "rows/s", [.. reads.Select(read => all / read)])]),
                new Row(name, RowKind.Program, size, figures),
            ];
        }

        private double ReadBare()
        {
            var start = stage.Time.GetTimestamp();
            BareTable.Read(_database);
            return stage.Time.GetElapsedTime(start).TotalSeconds;
        }
    }
}
