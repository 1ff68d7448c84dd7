using System.Buffers;
using System.Text;

namespace Meanwhile.Mqtt.Wire;

/// <summary>Topics that one connection has used: what comes again is neither checked nor allocated again.</summary>
public sealed class TopicCache
{
    private const int Slots = 64;

    // In bytes. Longer ones are read anew each time: otherwise a connection could take 8 MiB.
    private const int Longest = 256;

    private string?[]? _topics;
    private string _last = "";

    /// <summary>Reads a topic name, or nothing where an alias stands for it.</summary>
    internal string Read(ref PacketReader reader)
    {
        var bytes = reader.ReadBinary();
        return bytes.IsSingleSegment ? Find(bytes.FirstSpan) : Find(bytes.ToArray());
    }

    private string Find(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return "";
        if (Ascii.Equals(utf8, _last)) // Many have no other.
            return _last;
        if (utf8.Length > Longest)
            return Check(utf8);
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref var known = ref (_topics ??= new string?[Slots])[hash.ToHashCode() & (Slots - 1)];
        if (known is not null && Ascii.Equals(utf8, known)) // Never true for what is not ASCII: that is read anew.
            return _last = known;
        return _last = known = Check(utf8);
    }

    private static string Check(ReadOnlySpan<byte> utf8)
    {
        PacketReader.CheckUtf8(utf8);
        var topic = Encoding.UTF8.GetString(utf8);
        PacketReader.CheckName(topic);
        if (!Topic.IsName(topic))
            throw ProtocolException.Malformed("a wildcard in a topic name"); // [MQTT-3.3.2-2]
        return topic;
    }
}
