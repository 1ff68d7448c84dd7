namespace Meanwhile.Logging;

/// <summary>Lets one line a minute through for each cause, and counts the others.</summary>
internal sealed class LogLimiter(TimeProvider time)
{
    /// <summary>How many causes it tells apart at a time. Causes hold what strangers send: beyond that, all others are one.</summary>
    public const int MostCauses = 256;

    private const string Others = "";
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private readonly Dictionary<string, (long Logged, int Suppressed)> _causes = new(StringComparer.Ordinal);
    private long _cleared; // When room was last made.
    private readonly Lock _gate = new(); // Two threads with one cause are one line as well.

    /// <summary>Whether a line about a cause may be written now.</summary>
    /// <param name="cause">What tells it from others.</param>
    /// <param name="repeated">To be put at the end of the line: how many of its kind were left out before it.</param>
    public bool MayLog(string cause, out string repeated)
    {
        repeated = "";
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (!_causes.ContainsKey(cause) && !HasRoom(now))
                cause = Others;
            if (!_causes.TryGetValue(cause, out var last))
            {
                _causes[cause] = (now, 0);
                return true;
            }
            if (!IsPast(last.Logged, now))
            {
                _causes[cause] = (last.Logged, last.Suppressed + 1);
                return false;
            }
            repeated = last.Suppressed == 0 ? "" : $"; {last.Suppressed} more like it since the last such line";
            _causes[cause] = (now, 0);
            return true;
        }
    }

    private bool HasRoom(long now)
    {
        if (_causes.Count < MostCauses)
            return true;
        if (!IsPast(_cleared, now))
            return false;
        _cleared = now;
        foreach (var (cause, _) in _causes.Where(known => IsPast(known.Value.Logged, now)).ToList())
            _causes.Remove(cause);
        return _causes.Count < MostCauses;
    }

    private bool IsPast(long logged, long now) => time.GetElapsedTime(logged, now) >= Interval;
}
