namespace Meanwhile.Windows;

/// <summary>Series by the time at which they next want to be looked at, in a ring of seconds; putting one in or moving it costs the same for any number of them.</summary>
internal sealed class TimingWheel
{
    private const int Slots = 4096;
    private readonly WheelSeries?[] _slots = new WheelSeries?[Slots];

    public void Put(WheelSeries series, long wakeMs)
    {
        ref var head = ref _slots[SlotOf(wakeMs)];
        (series.WakeMs, series.Previous, series.Next) = (wakeMs, null, head);
        if (head is not null)
            head.Previous = series;
        head = series;
    }

    public void Move(WheelSeries series, long wakeMs)
    {
        if (series.Previous is null)
            _slots[SlotOf(series.WakeMs)] = series.Next;
        else
            series.Previous.Next = series.Next;
        if (series.Next is not null)
            series.Next.Previous = series.Previous;
        Put(series, wakeMs);
    }

    /// <summary>Takes out the series whose time has come after one time and up to another, chained by Next.</summary>
    public WheelSeries? TakeDue(long afterMs, long nowMs)
    {
        WheelSeries? due = null;
        var (first, last) = (Math.Max(afterMs, nowMs - Slots * 1000L) / 1000, nowMs / 1000);
        for (var second = first; second <= last; second++)
        {
            ref var head = ref _slots[SlotOf(second * 1000)];
            var series = head;
            head = null;
            while (series is not null)
            {
                var next = series.Next;
                if (series.WakeMs > nowMs)
                    Put(series, series.WakeMs);
                else
                    (series.Next, due) = (due, series);
                series = next;
            }
        }
        return due;
    }

    private static int SlotOf(long timeMs) => (int)(timeMs / 1000) & (Slots - 1);
}
