namespace Meanwhile.Windows.Bench;

/// <summary>An endless stream of readings at an even rate, some of them late by up to half an hour.</summary>
internal sealed class Readings(double perSecond, long roundToMs, int latePercent)
{
    private const long Start = 1_700_000_000_000;
    private readonly Random _random = new(1);
    private readonly double _stepMs = 1000 / perSecond;
    private double _elapsedMs;

    public (long TimeMs, double Value) Next()
    {
        _elapsedMs += _stepMs;
        var late = latePercent > 0 && _random.Next(100) < latePercent ? _random.Next(1_800_000) : 0;
        var time = Start + (long)_elapsedMs - late;
        return (time - time % roundToMs, 20 + (time & 0xFF) * 0.1);
    }
}
