namespace Meanwhile.Trials.Benchmarking;

/// <summary>The rate of this program at several sizes of something, beside those of a bare reader of the same load, of bare SQLite and of the disk.</summary>
internal static class Sweep
{
    /// <summary>How many topics.</summary>
    public static readonly Scenario Series = Of(
        "series", "ingest with so many topics, a message to each in turn", "topics", [1, 1000, 100_000, 1_000_000], (1, 1_000_000),
        (load, size) => load with { Series = size });

    /// <summary>How many rows.</summary>
    public static readonly Scenario History = Of(
        "history", "ingest with so many rows stored", "rows", [1000, 100_000, 10_000_000], (0, 100_000_000), (load, _) => load, rows: size => size);

    /// <summary>How many connections.</summary>
    public static readonly Scenario Clients = Of(
        "clients", "ingest from so many publishers, all on one topic", "publishers", [1, 100, 1000, 10_000], (1, 20_000),
        (load, size) => load with { Publishers = size, InFlight = Math.Max(1, 4000 / size) });

    /// <summary>How many bytes.</summary>
    public static readonly Scenario Payload = Of(
        "payload", "ingest of payloads of so many bytes", "bytes", [PublishTemplate.LeastBytes, 1000, 10_000], (PublishTemplate.LeastBytes, 200_000),
        (load, size) => load with { Bytes = size, InFlight = Math.Clamp(4_000_000 / size, 10, load.InFlight) });

    private static Scenario Of(
        string name, string title, string sizeName, IReadOnlyList<long> sizes, (long, long) bounds, Func<LoadOptions, int, LoadOptions> loadOf, Func<long, long>? rows = null) => new(
        name,
        title,
        sizes,
        bounds,
        async (environment, steps, at, stop) =>
        {
            var points = new List<Point>();
            steps.Expect(at.Count * (1 + ((environment.Options.Rounds + 1) * (2 + environment.Programs.Count()))));
            foreach (var size in at)
            {
                steps.Next($"preparing {size:N0} {sizeName}");
                points.Add(await StartAsync(environment, size, load => loadOf(load, (int)size), rows?.Invoke(size) ?? 0, stop));
            }
            await MeasureAsync(environment, steps, sizeName, points, stop);
            return new ScenarioReport(
                name, title, sizeName, Rows.Rate, [.. points.SelectMany(point => point.Report())], await EndAsync(environment, points, stop),
                [
                    .. environment.Options.HasFile ? (string[])[StoreFloors.Note] : [],
                    .. rows is null ? (string[])[] : ["of the rows, five sevenths are in the windows; the others are older and leave as the clock moves"],
                ]);
        });

    private static async Task<Point> StartAsync(BenchEnvironment environment, long size, Func<LoadOptions, LoadOptions> loadOf, long rows, CancellationToken stop)
    {
        var point = new Point(size, await environment.LoopbackAsync(loadOf(Scenario.LoadOf(environment)), stop), [], new StoreFloors(environment));
        foreach (var (name, program) in environment.Programs)
        {
            var competitor = await environment.ProgramAsync(name, program, loadOf(Scenario.LoadOf(environment)), rows, moved: null, stop);
            await competitor.FillAsync(stop);
            point.Programs.Add(competitor);
        }
        return point;
    }

    private static async Task MeasureAsync(BenchEnvironment environment, Steps steps, string sizeName, List<Point> points, CancellationToken stop)
    {
        for (var round = 0; round <= environment.Options.Rounds; round++)
        {
            foreach (var point in points)
            {
                foreach (var competitor in point.Competitors)
                {
                    steps.Next($"round {round} of {environment.Options.Rounds}, {point.Size:N0} {sizeName}, {competitor.Name}");
                    point.Runs.Keep(competitor, round, await competitor.MeasureAsync(environment.Options.Duration, stop));
                }
                steps.Next($"round {round} of {environment.Options.Rounds}, {point.Size:N0} {sizeName}, SQLite and the disk");
                if (round > 0)
                    await point.Disk.MeasureAsync(point.Programs[0].Load.Options, point.Runs.Of(point.Programs[0])[^1], stop);
            }
        }
    }

    private static async Task<List<string>> EndAsync(BenchEnvironment environment, List<Point> points, CancellationToken stop)
    {
        List<string> findings = [];
        foreach (var (point, competitor) in points.SelectMany(point => point.Competitors.Select(competitor => (point, competitor))))
            findings.AddRange((await environment.EndAsync(competitor, stop)).Select(finding => $"at {point.Size:N0}, {finding}"));
        return findings;
    }

    private sealed record Point(long Size, Competitor Loopback, List<Competitor> Programs, StoreFloors Disk)
    {
        public RoundResults Runs { get; } = new();

        public IEnumerable<Competitor> Competitors => [Loopback, .. Programs];

        public IEnumerable<Row> Report() =>
        [
            Rows.Of(Loopback.Name, Loopback.Kind, Size, Runs.Of(Loopback), []),
            .. Disk.Report(Size),
            .. Runs.OfPrograms(Programs, Size, [(Loopback.Name, Runs.RatesOf(Loopback)), .. Disk.Rates]),
        ];
    }
}
