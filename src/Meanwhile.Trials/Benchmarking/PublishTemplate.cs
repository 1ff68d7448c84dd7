using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>A PUBLISH with the seed's payload, prepared: what differs between messages is written over a copy of it.</summary>
internal sealed class PublishTemplate
{
    private const string Payload = """{"number": 10, "epochtime": "1700000000"}""";
    private const string Filler = ", \"filler\": \"\"}";
    private const int NumberAt = 11;
    private const int TimeAt = 29;
    private const int SeriesDigits = 7;

    private readonly byte[] _packet;
    private readonly int _seriesAt;
    private readonly int _identifierAt;
    private readonly int _payloadAt;

    /// <summary>Prepares one.</summary>
    /// <param name="topic">What is before the number of the series.</param>
    /// <param name="bytes">Of payload; the seed's is the shortest.</param>
    public PublishTemplate(string topic, int qos, int bytes)
    {
        var payload = Encoding.ASCII.GetBytes(PayloadOf(bytes));
        _packet = PreparedPackets.PublishTo(TopicOf(topic, 0), qos, retain: false, payload);
        _payloadAt = _packet.Length - payload.Length;
        _identifierAt = qos > 0 ? _payloadAt - 2 : -1;
        _seriesAt = _payloadAt - (qos > 0 ? 2 : 0) - SeriesDigits;
    }

    /// <summary>The shortest payload.</summary>
    public static int LeastBytes => Payload.Length;

    /// <summary>Bytes of a packet.</summary>
    public int Length => _packet.Length;

    /// <summary>A series' topic.</summary>
    public static string TopicOf(string topic, int series) => $"{topic}/{series:D7}";

    /// <summary>The filter of all series.</summary>
    public static string FilterOf(string topic) => topic + "/+";

    /// <summary>The number of the series at the end of a topic; -1 for none.</summary>
    public static int SeriesOf(ReadOnlySpan<byte> topic) =>
        topic.Length > SeriesDigits && Utf8Parser.TryParse(topic[^SeriesDigits..], out int series, out var digits) && digits == SeriesDigits ? series : -1;

    /// <summary>The number in the n-th message of a series: two digits, so that sums are known and all packets are equally long.</summary>
    public static int NumberOf(int n) => 10 + (n % 90);

    /// <summary>Sets the time of all messages from now on; seconds since the Unix epoch.</summary>
    public void SetTime(long seconds) => Utf8Formatter.TryFormat(seconds, _packet.AsSpan(_payloadAt + TimeAt), out _);

    /// <summary>Writes a message.</summary>
    public void Write(Span<byte> into, ushort identifier, int series, int number)
    {
        _packet.CopyTo(into);
        Utf8Formatter.TryFormat(series, into[_seriesAt..], out _, new('D', SeriesDigits));
        Utf8Formatter.TryFormat(number, into[(_payloadAt + NumberAt)..], out _);
        if (_identifierAt >= 0)
            BinaryPrimitives.WriteUInt16BigEndian(into[_identifierAt..], identifier);
    }

    private static string PayloadOf(int bytes)
    {
        var missing = bytes - Payload.Length;
        if (missing <= 0)
            return Payload;
        return missing < Filler.Length - 1
            ? Payload + new string(' ', missing)
            : $"{Payload[..^1]}{Filler[..^2]}{new string('x', missing - Filler.Length + 1)}{Filler[^2..]}";
    }
}
