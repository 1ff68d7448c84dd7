using System.Diagnostics;

namespace Meanwhile.Bench;

/// <summary>What one run took.</summary>
internal sealed record Run(long Count, TimeSpan Wall, TimeSpan Cpu, long Bytes)
{
    public double Rate => Count / Wall.TotalSeconds;

    public double CpuPerReading => Cpu.TotalMicroseconds / Count;

    public double BytesPerReading => (double)Bytes / Count;
}

/// <summary>Counts from its making.</summary>
internal sealed class RunMeter
{
    private readonly TimeSpan _cpu;
    private readonly long _bytes;
    private readonly long _start;

    public RunMeter()
    {
        GC.Collect();
        _cpu = CpuTime();
        _bytes = GC.GetTotalAllocatedBytes(precise: true);
        _start = TimeProvider.System.GetTimestamp();
    }

    public Run Stop(long count)
    {
        var wall = TimeProvider.System.GetElapsedTime(_start);
        return new Run(count, wall, CpuTime() - _cpu, GC.GetTotalAllocatedBytes(precise: true) - _bytes);
    }

    private static TimeSpan CpuTime()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }
}
