using System.Buffers;

namespace Meanwhile.Mqtt.Wire;

/// <summary>A length, or another number, in one to four bytes: seven bits each, the lowest first [MQTT-5.0, 1.5.5].</summary>
internal static class VariableByteInteger
{
    /// <summary>The most bytes that one takes.</summary>
    public const int Longest = 4;

    /// <summary>Reads one.</summary>
    /// <param name="reader">The bytes.</param>
    /// <param name="isStrict">It may take no more bytes than it needs, as 5.0 has it [MQTT-1.5.5-1].</param>
    /// <param name="value">The number.</param>
    /// <returns>False when more bytes are needed.</returns>
    public static bool TryRead(ref SequenceReader<byte> reader, bool isStrict, out uint value)
    {
        value = 0;
        for (var i = 0; i < Longest; i++)
        {
            if (!reader.TryRead(out var part))
                return false;
            value |= (part & 0x7Fu) << (7 * i);
            if (part >= 0x80)
                continue;
            if (part == 0 && i > 0 && isStrict)
                throw ProtocolException.Malformed("a length in more bytes than it needs");
            return true;
        }
        throw ProtocolException.Malformed("a length of more than four bytes");
    }
}
