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
        async (stage, steps, at, stop) =>
        {
            var points = new List<Point>();
            steps.Expect(at.Count * (1 + ((stage.Options.Rounds + 1) * (2 + stage.Programs.Count()))));
            foreach (var size in at)
            {
                steps.Next($"preparing {size:N0} {sizeName}");
                points.Add(await StartAsync(stage, size, load => loadOf(load, (int)size), rows?.Invoke(size) ?? 0, stop));
            }
            await MeasureAsync(stage, steps, sizeName, points, stop);
            return new ScenarioReport(
                name, title, sizeName, Rows.Rate, [.. points.SelectMany(point => point.Report())], await EndAsync(stage, points, stop),
                [
                    .. stage.Options.HasFile ? (string[])[StoreFloors.Note] : [],
                    .. rows is null ? (string[])[] : ["of the rows, five sevenths are in the windows; the others are older and leave as the clock moves"],
                ]);
        });

    private static async Task<Point> StartAsync(Stage stage, long size, Func<LoadOptions, LoadOptions> loadOf, long rows, CancellationToken stop)
    {
        var point = new Point(size, await stage.LoopbackAsync(loadOf(Scenario.LoadOf(stage)), stop), [], new StoreFloors(stage));
        foreach (var (name, program) in stage.Programs)
        {
            var contender = await stage.ProgramAsync(name, program, loadOf(Scenario.LoadOf(stage)), rows, moved: null, stop);
            await contender.FillAsync(stop);
            point.Programs.Add(contender);
        }
        return point;
    }

    private static async Task MeasureAsync(Stage stage, Steps steps, string sizeName, List<Point> points, CancellationToken stop)
    {
        for (var round = 0; round <= stage.Options.Rounds; round++)
        {
            foreach (var point in points)
            {
                foreach (var contender in point.Contenders)
                {
                    steps.Next($"round {round} of {stage.Options.Rounds}, {point.Size:N0} {sizeName}, {contender.Name}");
                    point.Runs.Keep(contender, round, await contender.MeasureAsync(stage.Options.Duration, stop));
                }
                steps.Next($"round {round} of {stage.Options.Rounds}, {point.Size:N0} {sizeName}, SQLite and the disk");
                if (round > 0)
                    await point.Disk.MeasureAsync(point.Programs[0].Load.Options, point.Runs.Of(point.Programs[0])[^1], stop);
            }
        }
    }

    private static async Task<List<string>> EndAsync(Stage stage, List<Point> points, CancellationToken stop)
    {
        List<string> findings = [];
        foreach (var (point, contender) in points.SelectMany(point => point.Contenders.Select(contender => (point, contender))))
            findings.AddRange((await stage.EndAsync(contender, stop)).Select(finding => $"at {point.Size:N0}, {finding}"));
        return findings;
    }

    private sealed record Point(long Size, Contender Loopback, List<Contender> Programs, StoreFloors Disk)
    {
        public RunLists Runs { get; } = new();

        public IEnumerable<Contender> Contenders => [Loopback, .. Programs];

        public IEnumerable<Row> Report() =>
        [
            Rows.Of(Loopback.Name, Loopback.Kind, Size, Runs.Of(Loopback), []),
            .. Disk.Report(Size),
            .. Runs.OfPrograms(Programs, Size, [(Loopback.Name, Runs.RatesOf(Loopback)), .. Disk.Rates]),
        ];
    }
}
