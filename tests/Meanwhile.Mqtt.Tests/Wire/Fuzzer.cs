using System.Buffers;
using System.Text.RegularExpressions;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Wire;

/// <summary>Bytes that a fuzzer begins with.</summary>
internal sealed record FuzzInput(ProtocolVersion Version, byte[] Bytes);

/// <summary>Changes packets at random, keeps those on which the codec says something new, and holds the codec to what it promises of any bytes.</summary>
internal sealed class Fuzzer(Random random, IEnumerable<FuzzInput> corpus)
{
    private const int Limit = 1 << 16;
    private const int MostKept = 20_000;

    // What decoding may allocate: a body that says little must not cost much.
    private const int BytesForEach = 400;
    private const int BytesForAny = 200_000;

    private readonly List<FuzzInput> _corpus = [.. corpus];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <summary>What it has found, beyond what it began with.</summary>
    public List<FuzzInput> Found { get; } = [];

    /// <summary>Makes one change, and looks.</summary>
    public void Step()
    {
        var parent = _corpus[random.Next(_corpus.Count)];
        var input = parent with { Bytes = Change(parent.Bytes) };
        if (!_seen.Add(Check(input)) || _corpus.Count >= MostKept)
            return;
        _corpus.Add(input);
        Found.Add(input);
    }

    /// <summary>Everything that has to be true of any bytes.</summary>
    /// <returns>What the codec says of them, in short.</returns>
    public string Check(FuzzInput input)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var whole = Decode(new ReadOnlySequence<byte>(input.Bytes), input.Version);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < BytesForAny + ((long)BytesForEach * input.Bytes.Length), "it costs too much memory");
        var cuts = Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(input.Bytes.Length + 1)).Order().ToArray();
        var split = Decode(Bytes.InSegments(input.Bytes, cuts), input.Version);
        Assert.Equal(whole.Says, split.Says);
        Assert.Equal(whole.Written, split.Written);
        var again = Decode(new ReadOnlySequence<byte>(whole.Written), input.Version);
        Assert.Equal(whole.Written, again.Written);
        Assert.Equal("", again.Says);
        return $"{input.Version} {input.Bytes[0] >> 4} {whole.Packets} {int.Log2(whole.Written.Length + 1)} {Regex.Replace(whole.Says, "[0-9A-F]{2,}|\\d+", "#")}";
    }

    private static Decoded Decode(ReadOnlySequence<byte> stream, ProtocolVersion version)
    {
        using var writer = new PacketWriter();
        var packets = 0;
        try
        {
            while (Frame.TryRead(ref stream, Limit, version, out var frame))
            {
                AnyPacket.Read(frame, version)(writer);
                packets++;
            }
            return new Decoded(packets, writer.Written.ToArray(), "");
        }
        catch (ProtocolException e) // The only one that there may be.
        {
            return new Decoded(packets, writer.Written.ToArray(), $"{e.Reason} {e.Message}");
        }
    }

    private byte[] Change(byte[] parent)
    {
        var bytes = parent.ToList();
        for (var changes = random.Next(1, 5); changes > 0; changes--)
            ChangeOnce(bytes);
        if (bytes.Count == 0)
            bytes.Add((byte)random.Next(256));
        if (bytes.Count is > 2 and < 130 && random.Next(3) > 0)
            bytes[1] = (byte)(bytes.Count - 2); // A length that is right again leads deeper.
        return [.. bytes.Take(4096)];
    }

    private void ChangeOnce(List<byte> bytes)
    {
        var at = random.Next(bytes.Count + 1);
        switch (random.Next(7))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when at < bytes.Count:
                bytes[at] = (byte)(new[] { 0, 1, 2, 3, 0x26, 0x7F, 0x80, 0xFF })[random.Next(8)];
                break;
            case 3:
                bytes.Insert(at, (byte)random.Next(256));
                break;
            case 4:
                bytes.RemoveRange(at, Math.Min(random.Next(8), bytes.Count - at));
                break;
            case 5:
                bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(16), bytes.Count - at)));
                break;
            default:
                var other = _corpus[random.Next(_corpus.Count)].Bytes;
                var start = random.Next(other.Length);
                bytes.InsertRange(at, other[start..Math.Min(other.Length, start + random.Next(64))]);
                break;
        }
    }

    private sealed record Decoded(int Packets, byte[] Written, string Says);
}
