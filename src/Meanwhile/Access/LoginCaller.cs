using System.Net;

namespace Meanwhile.Access;

/// <summary>One address from which logins come.</summary>
/// <param name="address">The address.</param>
internal sealed class LoginCaller(IPAddress address)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private int _failures;

    /// <summary>The address.</summary>
    public IPAddress Address { get; } = address;

    /// <summary>How many wait for an answer.</summary>
    public int Waiting { get; set; }

    /// <summary>Held by the one whose password is being checked.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    /// <summary>When the last one failed.</summary>
    public TimeSpan LastFailure { get; private set; }

    /// <summary>Some have failed.</summary>
    public bool HasFailed => _failures > 0;

    /// <summary>Failures are so long ago that they do not count any more.</summary>
    public bool IsForgiven(TimeSpan now) => now - LastFailure > Memory;

    /// <summary>How long the next one has to wait: longer with each failure. One that is right changes nothing, as whoever guesses may have a password as well.</summary>
    public TimeSpan Pause(TimeSpan now)
    {
        if (IsForgiven(now))
            _failures = 0;
        if (_failures == 0)
            return TimeSpan.Zero;
        var pause = Min(FirstPause * Math.Pow(2, Math.Min(_failures, 10) - 1), LongestPause);
        return Max(LastFailure + pause - now, TimeSpan.Zero);
    }

    /// <summary>One has failed.</summary>
    public void Fail(TimeSpan now) => (_failures, LastFailure) = (_failures + 1, now);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
