namespace Meanwhile.Trials.Benchmarking;

/// <summary>How long it takes from publishing a reading until its result is there, at a part of the highest rate, which is measured first unless it is given.</summary>
internal static class LatencyScenario
{
    private const int Syncs = 50;
    private const string Median = "p50";
    private static readonly (string Name, double Percentile)[] Percentiles = [(Median, 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100)];

    public static async Task<ScenarioReport> RunAsync(BenchEnvironment environment, Steps steps, IReadOnlyList<long> percents, CancellationToken stop)
    {
        var options = environment.Options;
        steps.Expect((options.HighestRate is null ? 1 + options.Rounds : 0) + ((options.Rounds + 1) * percents.Count * (1 + environment.Programs.Count())));
        steps.Next("starting");
        List<Lane> lanes = [await BrokerAsync(environment, stop)];
        foreach (var (name, program) in environment.Programs)
            lanes.Add(await ProgramAsync(environment, name, program, stop));

        var highest = options.HighestRate is { } given ? new Figure(Rows.Rate, Rows.Rate, [given]) : await HighestRateAsync(environment, steps, lanes[1].Competitor!, stop);
        List<IReadOnlyList<double>> syncs = [];
        using var disk = new Disk(Path.Combine(environment.DiskFolder, $"sync-{Guid.NewGuid():n}"), environment.Time);
        for (var round = 0; round <= options.Rounds; round++)
        {
            foreach (var (percent, lane) in percents.SelectMany(percent => lanes.Select(lane => (percent, lane))))
            {
                steps.Next($"round {round} of {options.Rounds}, {percent}% of the highest rate, {lane.Name}");
                await lane.MeasureAsync(percent, highest.Median * percent / 100, options.Duration, round, stop);
            }
            if (round > 0)
                syncs.Add([.. Enumerable.Range(0, Syncs).Select(_ => disk.Sync(1).TotalMilliseconds).Order()]);
        }
        List<string> findings = [];
        foreach (var lane in lanes)
            findings.AddRange(await lane.EndAsync(environment, stop));
        var sync = new Row("fdatasync alone", RowKind.Floor, Size: null, [.. Percentiles.Select(p => new Figure(p.Name, "ms", [.. syncs.Select(all => all[(int)Math.Min(Syncs * p.Percentile / 100, Syncs - 1)])]))]);
        return new ScenarioReport(
            "latency", $"from publishing to the result; the highest rate of {lanes[1].Name} with one publisher {(options.HighestRate is null ? "was" : "is given as")} {highest.Show(highest.Median)} messages/s", "% of the highest rate", "p99",
            [
                sync,
                .. lanes.SelectMany(lane => percents.Select(percent => lane.Report(percent, lanes.Take(2), sync))),
            ],
            findings,
            ["messages are due at even intervals, and sent once a millisecond: 'sent late' is what that adds", "the broker alone: until a bare subscriber has the message itself, at the same rates"]);
    }

    private static LoadOptions LoadOf(BenchEnvironment environment) => Scenario.LoadOf(environment) with { Publishers = 1, InFlight = 2000 };

    private static async Task<Lane> BrokerAsync(BenchEnvironment environment, CancellationToken stop)
    {
        var (broker, load, loop) = (await environment.BrokerAsync(stop), LoadOf(environment), new OpenLoop(environment.Time));
        return new Lane("broker alone", await LoadGenerator.ConnectAsync(broker, load, environment.Time, stop), await ResultReader.StartAsync(broker, load.Topic, 1, loop.Moved, stop), loop, Competitor: null);
    }

    private static async Task<Lane> ProgramAsync(BenchEnvironment environment, string name, string? program, CancellationToken stop)
    {
        var loop = new OpenLoop(environment.Time);
        var competitor = await environment.ProgramAsync(name, program, LoadOf(environment), rows: 0, loop.Moved, stop);
        return new Lane(name, competitor.Load, competitor.Results!, loop, competitor);
    }

    private static async Task<Figure> HighestRateAsync(BenchEnvironment environment, Steps steps, Competitor program, CancellationToken stop)
    {
        List<double> rates = [];
        for (var round = 0; round <= environment.Options.Rounds; round++)
        {
            steps.Next($"the highest rate, round {round} of {environment.Options.Rounds}");
            var run = await program.MeasureAsync(environment.Options.Duration, stop);
            if (round > 0)
                rates.Add(run.Rate);
        }
        return new Figure(Rows.Rate, Rows.Rate, rates);
    }

    /// <summary>Somebody who is sent messages at several rates.</summary>
    private sealed record Lane(string Name, LoadGenerator Load, ResultReader Results, OpenLoop Loop, Competitor? Competitor)
    {
        private readonly Dictionary<long, List<(Latencies Latencies, double Rate, double Cpu)>> _rounds = [];

        public async Task MeasureAsync(long percent, double rate, TimeSpan duration, int round, CancellationToken stop)
        {
            var (cpu, sent) = (Cpu(), Load.Sent.Total);
            var latencies = await Loop.RunAsync(Load, rate, duration, stop);
            if (round == 0)
                return;
            if (!_rounds.TryGetValue(percent, out var rounds))
                _rounds.Add(percent, rounds = []);
            sent = Load.Sent.Total - sent;
            rounds.Add((latencies, sent / duration.TotalSeconds, (Cpu() - cpu).TotalMicroseconds / Math.Max(1, sent)));
        }

        /// <summary>What was measured at a rate.</summary>
        /// <param name="others">The broker alone, and the first build of the program.</param>
        /// <param name="sync">The disk alone.</param>
        public Row Report(long percent, IEnumerable<Lane> others, Row sync)
        {
            var rounds = _rounds[percent];
            List<Figure> figures =
            [
                .. Percentiles.Select(p => AnsweredAt(percent, p.Name, p.Percentile)), new Figure(Rows.Rate, Rows.Rate, [.. rounds.Select(round => round.Rate)]),
                new Figure("sent late, p50", "ms", [.. rounds.Select(round => round.Latencies.Late.GetValueAtPercentile(50) / 1e3)]),
            ];
            if (Competitor is null)
                return new Row(Name, RowKind.Floor, percent, figures);
            figures.Add(new Figure("CPU", "µs", [.. rounds.Select(round => round.Cpu)]));
            figures.Add(Rows.Ratio($"{sync.Name}, {Median}", figures[0], sync.Figures[0].Rounds));
            figures.AddRange(others.Where(other => other != this).Select(other => Rows.Ratio($"{other.Name}, {Median}", figures[0], other.AnsweredAt(percent, Median, 50).Rounds)));
            return new Row(Name, RowKind.Program, percent, figures);
        }

        private Figure AnsweredAt(long percent, string name, double percentile) =>
            new(name, "ms", [.. _rounds[percent].Select(round => round.Latencies.Answered.GetValueAtPercentile(percentile) / 1e3)]);

        public async Task<IReadOnlyList<string>> EndAsync(BenchEnvironment environment, CancellationToken stop)
        {
            if (Competitor is not null)
                return await environment.EndAsync(Competitor, stop);
            var (sent, received) = (Load.Sent.Total, Results.Processed);
            Load.Dispose();
            await Results.DisposeAsync();
            return sent == received ? [] : [$"{Name}: {sent:N0} messages were sent, and {received:N0} received"];
        }

        private TimeSpan Cpu() => Competitor?.Process.ProcessorTime ?? default;
    }
}
