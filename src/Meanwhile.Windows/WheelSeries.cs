namespace Meanwhile.Windows;

/// <summary>A series with its place in the timing wheel. One object rather than two or three: there may be a million of them.</summary>
internal class WheelSeries : SlidingSeries
{
    private protected WheelSeries(Workspace workspace)
        : base(workspace)
    {
    }

    public long WakeMs { get; set; }

    public WheelSeries? Previous { get; set; }

    public WheelSeries? Next { get; set; }

    /// <summary>Whether a reading leaves a window as the clock moves.</summary>
    public bool ChangesBetween(long beforeMs, long afterMs)
    {
        var (start, end) = (Math.Max(LatestMs, beforeMs), Math.Max(LatestMs, afterMs));
        foreach (var window in Layout.WindowsMs)
        {
            if (FirstHeldFrom(start - window) < end - window)
                return true;
        }
        return false;
    }

    /// <summary>When the next reading leaves a window by the clock alone, or when all readings have left the retention.</summary>
    public long NextChange(long clockMs, bool ofWindows)
    {
        var next = LatestMs + Layout.RetentionMs + 1;
        for (var i = 0; ofWindows && i < Layout.WindowsMs.Length; i++)
        {
            var window = Layout.WindowsMs[i];
            if (FirstHeldFrom(Math.Max(LatestMs, clockMs) - window) is { } first)
                next = Math.Min(next, first + window + 1);
        }
        return next;
    }

    /// <summary>When a reading just added leaves the first of the windows that hold it; if it is in none, no earlier than the series was to change anyway.</summary>
    public long ChangeBy(long timeMs, long clockMs)
    {
        foreach (var window in Layout.WindowsMs)
        {
            if (timeMs >= Math.Max(LatestMs, clockMs) - window)
                return timeMs + window + 1;
        }
        return long.MaxValue;
    }

    /// <summary>Gives up what is older than the retention; true if nothing is left.</summary>
    public bool Forget()
    {
        Prune();
        return Newest is null;
    }
}
