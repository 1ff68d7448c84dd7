namespace Meanwhile.Windows.Bench;

/// <summary>An endless stream of readings at an even rate, some of them late by up to half an hour; made beforehand, so that taking one costs next to nothing.</summary>
internal sealed class Readings
{
    private const int FewestInCycle = 50_000;
    private readonly (long OffsetMs, double Value)[] _cycle;
    private readonly long _cycleMs;
    private long _startMs = 1_700_000_000_000;
    private int _next;

    /// <summary>Makes a cycle that ends on a whole second, for numbers such as 1,000 or 10,000,000.</summary>
    public Readings(int inHalfHour, long roundToMs, int latePercent)
    {
        var random = new Random(1);
        var stepMs = 1_800_000.0 / inHalfHour;
        _cycle = new (long, double)[Math.Max(FewestInCycle, inHalfHour / 50)];
        _cycleMs = (long)Math.Round(_cycle.Length * stepMs);
        for (var i = 0; i < _cycle.Length; i++)
        {
            var late = random.Next(100) < latePercent ? random.Next(1_800_000) : 0;
            var offset = (long)((i + 1) * stepMs) - late;
            _cycle[i] = (offset - offset % roundToMs, 20 + (offset & 0xFF) * 0.1);
        }
    }

    public (long TimeMs, double Value) Next()
    {
        var (offset, value) = _cycle[_next];
        var time = _startMs + offset;
        if (++_next == _cycle.Length)
            (_next, _startMs) = (0, _startMs + _cycleMs);
        return (time, value);
    }
}
