using System.Buffers;
using System.Globalization;
using System.Text;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Raw bytes, written so that a person can check them.</summary>
internal static class Bytes
{
    /// <summary>
    /// Hexadecimal pairs; <c>'text'</c> is UTF-8 after its length in two bytes, <c>"text"</c> UTF-8 alone, and <c>{ … }</c> what is inside after its length as a
    /// variable byte integer. Bars are for the eye.
    /// </summary>
    public static byte[] Of(string notation)
    {
        var at = 0;
        return [.. Parse(notation, ref at)];
    }

    /// <summary>Cut into segments at these places.</summary>
    public static ReadOnlySequence<byte> InSegments(byte[] bytes, params int[] cuts)
    {
        Segment? first = null, last = null;
        var start = 0;
        foreach (var end in cuts.Append(bytes.Length))
        {
            last = new Segment(bytes.AsMemory(start, end - start), last);
            first ??= last;
            start = end;
        }
        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private static List<byte> Parse(string notation, ref int at)
    {
        var bytes = new List<byte>();
        while (at < notation.Length)
        {
            var c = notation[at++];
            if (c is ' ' or '|' or '\n')
                continue;
            if (c == '}')
                return bytes;
            if (c == '{')
                bytes.AddRange(WithLength(Parse(notation, ref at)));
            else if (c is '\'' or '"')
                bytes.AddRange(Text(notation, ref at, c));
            else
                bytes.Add(byte.Parse(notation.AsSpan(at++ - 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }
        return bytes;
    }

    private static byte[] Text(string notation, ref int at, char quote)
    {
        var end = notation.IndexOf(quote, at);
        var text = Encoding.UTF8.GetBytes(notation[at..end]);
        at = end + 1;
        return quote == '"' ? text : [(byte)(text.Length >> 8), (byte)text.Length, .. text];
    }

    private static List<byte> WithLength(List<byte> inner)
    {
        var bytes = new List<byte>();
        var length = inner.Count;
        for (; length > 127; length >>= 7)
            bytes.Add((byte)(length | 0x80));
        return [.. bytes, (byte)length, .. inner];
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null)
                return;
            previous.Next = this;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
        }
    }
}
