using Meanwhile.Logging;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>
/// Says when a broker goes and when it is back, each kind of going at most once a minute. Of a going that was left out the return is left out as well, so that the log never
/// ends with the wrong half; and a broker that stays away is not left out for longer than that minute.
/// </summary>
internal sealed class ConnectionLog(BrokerSettings settings, ILogger logger, TimeProvider time)
{
    private readonly LogLimiter _limiter = new(time);
    private bool _isAway;
    private bool _isLeftOut; // That it is away.

    /// <summary>A connection has ended.</summary>
    public void Lost(string reason)
    {
        if (MaySay(nameof(Lost), out var repeated))
            Log.ConnectionLost(logger, settings.Address, reason, repeated);
    }

    /// <summary>An attempt at a connection has failed.</summary>
    public void Away(string reason)
    {
        if (_isAway && !_isLeftOut)
            Log.BrokerStillAway(logger, settings.Address, reason);
        else if (MaySay(nameof(Away), out var repeated))
            Log.BrokerAway(logger, settings.Address, reason, repeated);
    }

    /// <summary>A connection was accepted.</summary>
    public void Connected(string version)
    {
        if (!_isLeftOut)
            Log.Connected(logger, settings.Address, settings.ClientId, version);
        _isAway = false;
    }

    /// <summary>So was the subscription.</summary>
    public void Subscribed(string filter)
    {
        if (!_isLeftOut)
            Log.Subscribed(logger, filter);
    }

    /// <summary>The broker has forgotten us.</summary>
    /// <param name="wasNone">There was no session that it could have kept.</param>
    public void SessionLost(bool wasNone = false)
    {
        if (!_limiter.MayLog(nameof(SessionLost), out var repeated))
            return;
        if (wasNone)
            Log.NoSession(logger, repeated);
        else
            Log.SessionLost(logger, repeated);
    }

    private bool MaySay(string cause, out string repeated)
    {
        _isAway = true;
        _isLeftOut = !_limiter.MayLog(cause, out repeated);
        return !_isLeftOut;
    }
}
