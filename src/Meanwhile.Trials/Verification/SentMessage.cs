namespace Meanwhile.Trials.Verification;

/// <summary>What became of a message, as its publisher saw it.</summary>
/// <param name="number">Its place in the sequence, from 1 on: the number that it carries.</param>
/// <param name="time">The time that it carries; milliseconds since the Unix epoch.</param>
internal sealed class SentMessage(long number, long time)
{
    public long Number => number;

    public long Time => time;

    /// <summary>The packet identifier under which it was sent last.</summary>
    public ushort PacketId { get; set; }

    /// <summary>How often it was sent again as the same message, with DUP.</summary>
    public int SentAgain { get; set; }

    /// <summary>How often it was sent as a new message, because the broker had lost the session.</summary>
    public int SentAnew { get; set; }

    /// <summary>PUBREC was received.</summary>
    public bool IsReceived { get; set; }

    /// <summary>PUBACK or PUBCOMP was received.</summary>
    public bool IsAcknowledged { get; set; }
}
