namespace Meanwhile.Access;

/// <summary>What is remembered of logins: of one user from one address, or of an address as a whole.</summary>
/// <param name="harmless">How many failures lead to no pause.</param>
/// <param name="longestPause">How long the pause after a failure becomes.</param>
internal sealed class LoginRecord(int harmless, TimeSpan longestPause)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private TimeSpan _lastFailure;

    /// <summary>How many have failed since one was right.</summary>
    public int Failures { get; private set; }

    /// <summary>A password was right.</summary>
    public bool WasRight { get; private set; }

    /// <summary>A password is being checked now.</summary>
    public bool IsBeingChecked { get; set; }

    /// <summary>How many wait with this record.</summary>
    public int Waiting { get; set; }

    /// <summary>When a password was last right or wrong.</summary>
    public TimeSpan LastUse { get; private set; }

    /// <summary>It may be forgotten without a loss.</summary>
    public bool IsBlank => Failures == 0 && !WasRight;

    /// <summary>When the next password may be checked: later with each failure, until there was none for some minutes.</summary>
    public TimeSpan FreeFrom(TimeSpan now)
    {
        if (now - _lastFailure > Memory)
            Failures = 0;
        if (Failures <= harmless)
            return TimeSpan.Zero;
        var pause = FirstPause * Math.Pow(2, Math.Min(Failures - harmless, 10) - 1);
        return _lastFailure + (pause < longestPause ? pause : longestPause);
    }

    /// <summary>A password was checked.</summary>
    public void Answer(bool isRight, TimeSpan now)
    {
        LastUse = now;
        if (isRight)
            (Failures, WasRight) = (0, true);
        else
            (Failures, _lastFailure) = (Failures + 1, now);
    }
}
