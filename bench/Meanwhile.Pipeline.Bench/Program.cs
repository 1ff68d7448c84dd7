using System.Diagnostics;
using Meanwhile.Pipeline;
using Meanwhile.Pipeline.Bench;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

// The path below the socket beside a bare loop on the same SQLite layer, in alternating runs; then the cost beside the rows in the file; then the start.
var folder = args.Length > 0 ? args[0] : Path.Combine(Path.GetTempPath(), "meanwhile-bench");
var count = args.Length > 1 ? long.Parse(args[1]) : 2_000_000;
var rounds = args.Length > 2 ? int.Parse(args[2]) : 7;
Directory.CreateDirectory(folder);

List<Run> bare = [], one = [], thousand = [];
for (var round = 0; round <= rounds; round++)
{
    Keep(bare, round, BareLoop(NewFile("bare"), count));
    Keep(one, round, await PathAsync(NewFile("path"), count, series: 1, aSecond: 1000, new SteppedTime()));
    Keep(thousand, round, await PathAsync(NewFile("path"), count, series: 1000, aSecond: 1000, new SteppedTime()));
}
Show("bare loop", bare, bare);
Show("path, 1 series", one, bare);
Show("path, 1,000 series", thousand, bare);

List<(long Rows, List<Run> Runs)> sizes = [(1_000, []), (100_000, []), (10_000_000, [])];
var stores = sizes.Select(size => (size.Rows, size.Runs, File: Filled(size.Rows, out var time), Time: time)).ToList();
for (var round = 0; round <= rounds; round++)
{
    foreach (var (rows, runs, file, time) in stores)
        Keep(runs, round, await PathAsync(file, count / 4, series: 1000, aSecond: (int)Math.Max(1, rows / 2100), time));
}
foreach (var (rows, runs, _, _) in stores)
    Show($"path, {rows:N0} rows in the file", runs, stores[0].Runs);
foreach (var (rows, _, file, time) in stores.Skip(2))
{
    var rebuilds = Enumerable.Range(0, 3).Select(_ => Rebuild(file, time, rows)).ToList();
    Show($"rebuild from {rows:N0} rows", rebuilds, rebuilds);
}
Console.WriteLine($"peak memory of this process: {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");

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

static Run BareLoop(string path, long count)
{
    using var database = new Database(path);
    database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE messages (number NUMERIC, epochtime NUMERIC)");
    var insert = database.Prepare("INSERT INTO messages VALUES (?, ?)");
    return Run.Measure(count, () =>
    {
        for (var i = 0L; i < count; i += 4096)
        {
            database.Transact((insert, i, Rows: Math.Min(4096, count - i)), static batch =>
            {
                for (var j = 0; j < batch.Rows; j++)
                    batch.insert.Bind(1, (double)(10 + (j % 90))).Bind(2, 1_700_000_000 + ((batch.i + j) / 1000)).Run();
            });
        }
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();
}

static async Task<Run> PathAsync(string path, long count, int series, int aSecond, SteppedTime time)
{
    using var store = SqliteStore.Open(path, new StoreOptions("bench", "DATA"));
    var options = new AggregatorOptions(series == 1 ? "DATA" : "plant/+/temperature", "STATS");
    var feed = new PreparedFeed(count, series, aSecond, time);
    var ledger = new Ledger();
    var aggregator = new Aggregator(feed, store, options, ledger, NullLogger.Instance, time);
    var run = await Run.Measure(count, () => aggregator.RunAsync(CancellationToken.None));
    if (ledger.Committed != count || ledger.Acknowledged != count || ledger.OnTheWay != 0)
        throw new InvalidOperationException($"messages are missing: {ledger}");
    return run with { Results = feed.Results };
}

string Filled(long rows, out SteppedTime time)
{
    time = new SteppedTime();
    var file = NewFile($"rows{rows}");
    PathAsync(file, rows + 4096, series: 1000, aSecond: (int)Math.Max(1, rows / 2100), time).GetAwaiter().GetResult();
    return file;
}

static Run Rebuild(string path, SteppedTime time, long rows) => PathAsync(path, 0, series: 1000, aSecond: 1, time).GetAwaiter().GetResult() with { Count = rows };

static void Show(string name, List<Run> runs, List<Run> floor)
{
    var (rate, cpu, bytes) = (Median(runs, r => r.Rate), Median(runs, r => r.CpuPerReading), Median(runs, r => r.BytesPerReading));
    var ratios = runs.Zip(floor, (run, beside) => run.Rate / beside.Rate).Order().ToList();
    Console.WriteLine($"{name,-34} {rate,12:N0}/s (best {runs.Max(r => r.Rate):N0}), {cpu:N2} µs CPU, {bytes:N1} bytes allocated a reading, {ratios[ratios.Count / 2]:P0} of its floor, results {runs[0].Results:N0}");
}

static double Median(List<Run> runs, Func<Run, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);
