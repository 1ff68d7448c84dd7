namespace Meanwhile.Trials.Verification;

/// <summary>Counts the messages with DUP set in a stream of MQTT packets, which may be cut anywhere.</summary>
internal sealed class RedeliveryCounter
{
    private int _bodyLeft;
    private int _length;
    private int _shift = -1; // Below 0 where a packet begins.

    /// <summary>Takes the next bytes in.</summary>
    /// <returns>How many such messages begin in them.</returns>
    public int Count(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        while (!bytes.IsEmpty)
        {
            var skipped = Math.Min(_bodyLeft, bytes.Length);
            _bodyLeft -= skipped;
            bytes = bytes[skipped..];
            if (bytes.IsEmpty)
                break;
            if (_shift < 0)
            {
                if ((bytes[0] & 0xF8) == 0x38) // PUBLISH with DUP [MQTT-3.3.1-1].
                    count++;
                (_length, _shift) = (0, 0);
            }
            else
            {
                _length |= (bytes[0] & 0x7F) << _shift; // Seven bits a byte, the lowest first [MQTT-1.5.5].
                _shift += 7;
                if ((bytes[0] & 0x80) == 0)
                    (_bodyLeft, _shift) = (_length, -1);
            }
            bytes = bytes[1..];
        }
        return count;
    }
}
