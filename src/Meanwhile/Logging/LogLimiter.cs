namespace Meanwhile.Logging;

/// <summary>Lets one line a minute through for each cause, and counts the others.</summary>
internal sealed class LogLimiter(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private readonly Dictionary<string, (long Logged, int Suppressed)> _causes = new(StringComparer.Ordinal);
    private readonly Lock _gate = new(); // Two threads with one cause are one line as well.

    /// <summary>Whether a line about a cause may be written now.</summary>
    /// <param name="cause">One of a few.</param>
    /// <param name="repeated">To be put at the end of the line: how many of its kind were left out before it.</param>
    public bool MayLog(string cause, out string repeated)
    {
        repeated = "";
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (!_causes.TryGetValue(cause, out var last))
            {
                _causes[cause] = (now, 0);
                return true;
            }
            if (time.GetElapsedTime(last.Logged, now) < Interval)
            {
                _causes[cause] = (last.Logged, last.Suppressed + 1);
                return false;
            }
            repeated = last.Suppressed == 0 ? "" : $"; {last.Suppressed} more like it since the last such line";
            _causes[cause] = (now, 0);
            return true;
        }
    }
}
