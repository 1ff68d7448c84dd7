using Meanwhile.Bench;
using Meanwhile.Pipeline;
using Meanwhile.Pipeline.Bench;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

const int WholeBatch = 4096;
const int SmallBatch = 128; // Half a reading a second is 1,000 rows in the file: a larger batch would reach further than readings may be ahead.
const int ASecond = 1000;
const double RetentionSeconds = 2100;
const long UntilReadingsLeave = 2_700_000; // From here on the windows and the file do not grow any more.

// The path below the socket beside a bare loop on the same SQLite layer, in alternating runs; then the cost beside the rows in the file; then the start.
var folder = args.Length > 0 ? args[0] : Path.Combine(Path.GetTempPath(), "meanwhile-bench");
var count = args.Length > 1 ? long.Parse(args[1]) : 2_000_000;
var rounds = args.Length > 2 ? int.Parse(args[2]) : 7;
Directory.CreateDirectory(folder);

List<Run> bare = [], one = [], thousand = [];
for (var round = 0; round <= rounds; round++)
{
    Keep(bare, round, BareLoop.Measure(NewFile("bare"), count, WholeBatch));
    Keep(one, round, await PathAsync(NewFile("path"), UntilReadingsLeave, count, series: 1, ASecond, WholeBatch, new SteppedTime()));
    Keep(thousand, round, await PathAsync(NewFile("path"), UntilReadingsLeave, count, series: 1000, ASecond, WholeBatch, new SteppedTime()));
}
Show("bare loop", bare, bare);
Show("path, 1 series", one, bare);
Show("path, 1,000 series", thousand, bare);

List<(long Rows, List<Run> Runs)> sizes = [(1_000, []), (100_000, []), (10_000_000, [])];
var stores = sizes.Select(size => (size.Rows, size.Runs, File: Filled(size.Rows, out var time), Time: time)).ToList();
for (var round = 0; round <= rounds; round++)
{
    foreach (var (rows, runs, file, time) in stores)
        Keep(runs, round, await PathAsync(file, warmUp: 0, Math.Min(count / 4, 200_000), series: 1, aSecond: rows / RetentionSeconds, SmallBatch, time));
}
foreach (var (rows, runs, _, _) in stores)
    Show($"path, {rows:N0} rows in the file", runs, stores[0].Runs);
foreach (var (rows, _, file, time) in stores.Skip(2))
{
    var rebuilds = Enumerable.Range(0, 3).Select(_ => Rebuild(file, time, rows)).ToList();
    Show($"rebuild from {rows:N0} rows", rebuilds, rebuilds);
}
Console.WriteLine($"memory of this process: {Environment.WorkingSet >> 20} MiB");

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

static async Task<Run> PathAsync(string path, long warmUp, long count, int series, double aSecond, int largestBatch, SteppedTime time)
{
    using var store = SqliteStore.Open(path, new StoreOptions("bench", "DATA"));
    var options = new AggregatorOptions(series == 1 ? "DATA" : "plant/+/temperature", "STATS");
    var feed = new PreparedFeed(warmUp, count, series, aSecond, largestBatch, time);
    var insight = new Insight(options, time);
    var ledger = insight.Ledger;
    var aggregator = new Aggregator(feed, store, options, insight, NullLogger.Instance, time);
    await aggregator.RunAsync(CancellationToken.None);
    var run = feed.Meter!.Stop(count);
    if (ledger.Committed != warmUp + count || ledger.Acknowledged != warmUp + count || ledger.OnTheWay != 0)
        throw new InvalidOperationException($"messages are missing: {ledger}");
    return run;
}

string Filled(long rows, out SteppedTime time)
{
    time = new SteppedTime();
    var file = NewFile($"rows{rows}");
    PathAsync(file, warmUp: 0, rows, series: 1, aSecond: rows / RetentionSeconds, rows > 1_000_000 ? WholeBatch : SmallBatch, time).GetAwaiter().GetResult();
    return file;
}

static Run Rebuild(string path, SteppedTime time, long rows)
{
    var meter = new RunMeter();
    PathAsync(path, warmUp: 0, count: 0, series: 1, aSecond: 1, SmallBatch, time).GetAwaiter().GetResult();
    return meter.Stop(rows);
}

static void Show(string name, List<Run> runs, List<Run> floor)
{
    var (rate, cpu, bytes) = (Median(runs, r => r.Rate), Median(runs, r => r.CpuPerReading), Median(runs, r => r.BytesPerReading));
    var ratios = runs.Zip(floor, (run, beside) => run.Rate / beside.Rate).Order().ToList();
    Console.WriteLine($"{name,-34} {rate,12:N0}/s (best {runs.Max(r => r.Rate):N0}), {cpu:N2} µs CPU, {bytes:N1} bytes allocated a reading, {ratios[ratios.Count / 2]:P0} of its floor");
}

static double Median(List<Run> runs, Func<Run, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);
