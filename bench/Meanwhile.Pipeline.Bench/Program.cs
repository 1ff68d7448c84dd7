using Meanwhile.Bench;
using Meanwhile.Pipeline;
using Meanwhile.Pipeline.Bench;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

const int WholeBatch = 4096;
const int SmallBatch = 128; // With these, a second's readings in the file are no more than one commit brings.
const int ASecond = 1000;
const long UntilReadingsLeave = 2_700_000; // From here on the windows and the file do not grow any more.

// The path below the socket beside a bare loop on the same SQLite layer, in alternating runs; or the cost beside the rows in the file; or the start.
var folder = args.Length > 0 ? args[0] : Path.Combine(Path.GetTempPath(), "meanwhile-bench");
var count = args.Length > 1 ? long.Parse(args[1]) : 2_000_000;
var rounds = args.Length > 2 ? int.Parse(args[2]) : 7;
var part = args.Length > 3 ? args[3] : "all"; // path, rows, rebuild
Directory.CreateDirectory(folder);
if (part is "all" or "path")
    await ComparePathAsync();
if (part is "all" or "rows")
    await CompareRowsAsync();
if (part is "all" or "rebuild")
    await RebuildAsync(10_000_000);

async Task ComparePathAsync()
{
    List<Run> bare = [], one = [], thousand = [];
    for (var round = 0; round <= rounds; round++)
    {
        Keep(bare, round, BareLoop.Measure(NewFile("bare"), count, WholeBatch));
        Keep(one, round, await PathAsync(Open(NewFile("path")), UntilReadingsLeave, count, series: 1, ASecond, WholeBatch, new SteppedTime()));
        Keep(thousand, round, await PathAsync(Open(NewFile("path")), UntilReadingsLeave, count, series: 1000, ASecond, WholeBatch, new SteppedTime()));
    }
    Show("bare loop", bare, bare);
    Show("path, 1 series", one, bare);
    Show("path, 1,000 series", thousand, bare);
    Console.WriteLine($"memory of this process: {Environment.WorkingSet >> 20} MiB");
}

// The same stream into each file, a thousand readings a second of their own time; a row leaves for each that comes.
async Task CompareRowsAsync()
{
    List<int> sizes = [1_000, 100_000, 10_000_000];
    var files = sizes.Select(rows => (Rows: rows, Runs: new List<Run>(), File: NewFile($"rows{rows}"), Time: new SteppedTime())).ToList();
    foreach (var (rows, _, file, time) in files)
        await PathAsync(Keeping(file, rows), warmUp: 0, Math.Max(rows, UntilReadingsLeave), series: 1, ASecond, WholeBatch, time);
    for (var round = 0; round <= rounds; round++)
    {
        foreach (var (rows, runs, file, time) in files)
            Keep(runs, round, await PathAsync(Keeping(file, rows), UntilReadingsLeave, Math.Min(count, 400_000), series: 1, ASecond, SmallBatch, time));
    }
    foreach (var (rows, runs, _, _) in files)
        Show($"path, {rows:N0} rows in the file", runs, files[0].Runs);
}

async Task RebuildAsync(long rows)
{
    const double RetentionSeconds = 2100;
    var (file, time) = (NewFile("rebuild"), new SteppedTime());
    await PathAsync(Open(file), warmUp: 0, rows, series: 1, aSecond: rows / RetentionSeconds, WholeBatch, time);
    var rebuilds = new List<Run>();
    for (var round = 0; round < 3; round++)
    {
        var meter = new RunMeter();
        await PathAsync(Open(file), warmUp: 0, count: 0, series: 1, ASecond, SmallBatch, time);
        rebuilds.Add(meter.Stop(rows));
    }
    Show($"rebuild from {rows:N0} rows", rebuilds, rebuilds);
}

static IStore Open(string file) => SqliteStore.Open(file, new StoreOptions("bench", "DATA"));

static IStore Keeping(string file, long rows) => new KeepingStore(Open(file), keeps: rows * 1000 / ASecond);

void Keep(List<Run> runs, int round, Run run)
{
    if (round > 0) // The first is for warming up.
        runs.Add(run);
    Console.Error.Write('.');
}

string NewFile(string name)
{
    var path = Path.Combine(folder, name + ".db");
    foreach (var file in Directory.GetFiles(folder, name + ".db*"))
        File.Delete(file);
    return path;
}

static async Task<Run> PathAsync(IStore opened, long warmUp, long count, int series, double aSecond, int largestBatch, SteppedTime time)
{
    using var store = opened;
    var options = new AggregatorOptions(series == 1 ? "DATA" : "plant/+/temperature", "STATS");
    var feed = new PreparedFeed(warmUp, count, series, aSecond, largestBatch, time);
    var status = new PipelineStatus(options, time);
    var ledger = status.Ledger;
    var aggregator = new Aggregator(feed, store, options, status, NullLogger.Instance, time);
    await aggregator.RunAsync(CancellationToken.None);
    var run = feed.Meter!.Stop(count);
    if (ledger.Committed != warmUp + count || ledger.Acknowledged != warmUp + count || ledger.OnTheWay != 0)
        throw new InvalidOperationException($"messages are missing: {ledger}");
    return run;
}

static void Show(string name, List<Run> runs, List<Run> floor)
{
    var (rate, cpu, bytes) = (Median(runs, r => r.Rate), Median(runs, r => r.CpuPerReading), Median(runs, r => r.BytesPerReading));
    var ratios = runs.Zip(floor, (run, beside) => run.Rate / beside.Rate).Order().ToList();
    Console.WriteLine($"{name,-34} {rate,12:N0}/s (best {runs.Max(r => r.Rate):N0}), {cpu:N2} µs CPU, {bytes:N1} bytes allocated a reading, {ratios[ratios.Count / 2]:P0} of its floor");
}

static double Median(List<Run> runs, Func<Run, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);
