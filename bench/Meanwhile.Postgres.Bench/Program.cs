using System.Diagnostics;
using Meanwhile.Postgres.Bench;
using Npgsql;

// Alternating runs of the two ways, median rows a second: PGBENCH_DB="Host=127.0.0.1;Database=…" dotnet run -c Release
var text = new NpgsqlConnectionStringBuilder(Environment.GetEnvironmentVariable("PGBENCH_DB")) { MaxAutoPrepare = 10, AutoPrepareMinUsages = 2 }.ToString();
await using var connection = new NpgsqlConnection(text);
await connection.OpenAsync();
var writers = new Writers(connection);
await writers.ResetAsync();
var time = TimeProvider.System;
Console.WriteLine("batch   unnest rows/s  CPU us/row     COPY rows/s  CPU us/row");
foreach (var batch in new[] { 1, 10, 100, 1_000, 4_096, 10_000 })
{
    List<(double Rate, double Cpu)> unnest = [], copy = [];
    for (var round = 0; round < 6; round++)
    {
        unnest.Add(await MeasureAsync(writers.UnnestAsync, batch));
        copy.Add(await MeasureAsync(writers.CopyAsync, batch));
    }
    Console.WriteLine($"{batch,5} {Median(unnest.Select(r => r.Rate)),15:N0} {Median(unnest.Select(r => r.Cpu)),11:N2} {Median(copy.Select(r => r.Rate)),15:N0} {Median(copy.Select(r => r.Cpu)),11:N2}");
}

async Task<(double Rate, double Cpu)> MeasureAsync(Func<int, Task> write, int batch)
{
    await write(batch);
    var (start, cpu, rows) = (time.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime, 0L);
    while (time.GetElapsedTime(start) < TimeSpan.FromSeconds(0.7))
    {
        await write(batch);
        rows += batch;
    }
    return (rows / time.GetElapsedTime(start).TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / rows);
}

static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);
