namespace Meanwhile.Feeds;

/// <summary>How long to wait before the next attempt: doubling up to a cap, with jitter, so that a thousand clients do not come back in step.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan cap, Random random)
{
    private int _attempts;

    /// <summary>For reconnecting to a broker.</summary>
    public static Backoff ForBroker() => new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(15), Random.Shared);

    /// <summary>For a store that cannot commit for the moment.</summary>
    public static Backoff ForStore() => new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);

    /// <summary>Between half of the nominal wait and all of it.</summary>
    public TimeSpan Next()
    {
        var nominal = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(_attempts++, 30)), cap.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(nominal * (0.5 + (random.NextDouble() / 2)));
    }

    /// <summary>After a success.</summary>
    public void Reset() => _attempts = 0;
}
