using System.Diagnostics;

namespace Meanwhile.Pipeline.Bench;

/// <summary>What one run took.</summary>
internal sealed record Run(long Count, TimeSpan Wall, TimeSpan Cpu, long Bytes, long Results)
{
    public double Rate => Count / Wall.TotalSeconds;

    public double CpuPerReading => Cpu.TotalMicroseconds / Count;

    public double BytesPerReading => (double)Bytes / Count;

    public static async Task<Run> Measure(long count, Func<Task> work)
    {
        GC.Collect();
        var process = Process.GetCurrentProcess();
        var (start, cpu, bytes) = (TimeProvider.System.GetTimestamp(), process.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true));
        await work();
        var wall = TimeProvider.System.GetElapsedTime(start);
        process.Refresh();
        return new Run(count, wall, process.TotalProcessorTime - cpu, GC.GetTotalAllocatedBytes(precise: true) - bytes, 0);
    }
}
