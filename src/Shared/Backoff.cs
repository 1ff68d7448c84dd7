namespace Meanwhile.Shared;

/// <summary>
/// How long to wait before the next attempt: doubling up to a limit, with jitter, so that a thousand clients do not come back in step. The source is compiled into each project that
/// needs it, because neither a store nor a client should know the other for its sake.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private int _attempts;

    /// <summary>Between half of the nominal wait and all of it.</summary>
    public TimeSpan Next()
    {
        var nominal = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(_attempts++, 30)), longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(nominal * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    /// <summary>After a success.</summary>
    public void Reset() => _attempts = 0;
}
