using System.Diagnostics;

namespace Meanwhile.Postgres.Bench;

/// <summary>Runs of one kind, between which others took their turn.</summary>
internal sealed class Runs
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(1);
    private readonly List<(double Rate, double Cpu)> _runs = [];

    /// <summary>Rows a second, the median.</summary>
    public double Rate => Median(run => run.Rate);

    /// <summary>Microseconds of CPU of this process a row, the median.</summary>
    public double Cpu => Median(run => run.Cpu);

    /// <summary>Commits for a second.</summary>
    public async Task AddAsync(Func<Task> commit, int batch)
    {
        await commit();
        var time = TimeProvider.System;
        var (start, cpu, rows) = (time.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime, 0L);
        for (; time.GetElapsedTime(start) < Length; rows += batch)
            await commit();
        _runs.Add((rows / time.GetElapsedTime(start).TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / rows));
    }

    private double Median(Func<(double Rate, double Cpu), double> of) => _runs.Select(of).Order().ElementAt(_runs.Count / 2);
}
