namespace Meanwhile.Feeds;

/// <summary>
/// Notices two clients that take one session from each other for ever. Some brokers say so; with others, mosquitto among them, the sign is that
/// connections are accepted and soon lost, again and again.
/// </summary>
internal sealed class TakeOverDetector(TimeProvider time)
{
    private const int TooMany = 3;
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(5);
    private long? _accepted;
    private int _shortOnes;

    /// <summary>A connection was accepted, and has not ended.</summary>
    public bool IsConnected => _accepted is not null;

    /// <summary>A connection was accepted.</summary>
    public void Accepted() => _accepted = time.GetTimestamp();

    /// <summary>A connection, or an attempt at one, has ended.</summary>
    /// <param name="isTakeOver">Too many short connections in a row.</param>
    /// <param name="isExplained">It is known why it has ended, and that it was no other client.</param>
    /// <returns>True when it was a connection of some length: the broker is well.</returns>
    public bool Ended(out bool isTakeOver, bool isExplained = false)
    {
        var wasShort = _accepted is { } since && time.GetElapsedTime(since) < Short;
        var wasGood = _accepted is not null && !wasShort;
        _shortOnes = wasShort && !isExplained ? _shortOnes + 1 : 0;
        _accepted = null;
        isTakeOver = _shortOnes == TooMany;
        return wasGood;
    }
}
