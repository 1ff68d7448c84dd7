using System.Net;

namespace Meanwhile.Access;

/// <summary>One login whose password is to be checked.</summary>
/// <param name="address">Where it comes from.</param>
/// <param name="user">The user name.</param>
/// <param name="ofAddress">What is remembered of the address.</param>
/// <param name="ofUser">What is remembered of this user there.</param>
internal sealed class LoginAttempt(IPAddress address, string user, LoginRecord ofAddress, LoginRecord ofUser)
{
    private readonly TaskCompletionSource<bool> _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Where it comes from.</summary>
    public IPAddress Address { get; } = address;

    /// <summary>The user name.</summary>
    public string User { get; } = user;

    /// <summary>What is remembered of the address.</summary>
    public LoginRecord OfAddress { get; } = ofAddress;

    /// <summary>What is remembered of this user there.</summary>
    public LoginRecord OfUser { get; } = ofUser;

    /// <summary>True when its turn has come; false when it has to go.</summary>
    public Task<bool> Turn => _turn.Task;

    /// <summary>It need not wait any longer.</summary>
    public void Call(bool isItsTurn) => _turn.TrySetResult(isItsTurn);

    /// <summary>When it may be checked; null while another password of the same user is.</summary>
    public TimeSpan? FreeFrom(TimeSpan now)
    {
        if (OfUser.IsBeingChecked)
            return null;
        var (ofUser, ofAddress) = (OfUser.FreeFrom(now), OfUser.WasRight ? TimeSpan.Zero : OfAddress.FreeFrom(now));
        return ofUser > ofAddress ? ofUser : ofAddress;
    }

    /// <summary>Whether it goes before one of another address, whose turn is earlier: who was let in from there before, then where fewer failed.</summary>
    public bool ComesFromBetterThan(LoginAttempt other) => OfUser.WasRight != other.OfUser.WasRight ? OfUser.WasRight : OfAddress.Failures < other.OfAddress.Failures;

    /// <summary>Whether it goes before one of its address that came earlier: who was let in from there before, then who failed less often, then who came last.</summary>
    public bool GoesBefore(LoginAttempt earlier) => OfUser.WasRight != earlier.OfUser.WasRight ? OfUser.WasRight : OfUser.Failures <= earlier.OfUser.Failures;
}
