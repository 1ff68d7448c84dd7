using System.Buffers;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Wire;

public class CodecTests
{
    private const int Limit = 1 << 20;

    public static TheoryData<PacketRow> Valid => [.. PacketTable.Valid];

    public static TheoryData<PacketRow> Malformed => [.. PacketTable.Malformed];

    [Theory, MemberData(nameof(Valid), DisableDiscoveryEnumeration = true)]
    public void A_packet_is_written_as_it_was_read(PacketRow row) =>
        Assert.Equal(row.Bytes, AnyPacket.ReadAndWrite(new ReadOnlySequence<byte>(row.Bytes), row.Version));

    [Theory, MemberData(nameof(Valid), DisableDiscoveryEnumeration = true)]
    public void Where_a_packet_is_cut_makes_no_difference(PacketRow row)
    {
        var bytes = row.Bytes;
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            var start = new ReadOnlySequence<byte>(bytes, 0, cut);
            Assert.False(Frame.TryRead(ref start, Limit, row.Version, out _));
            Assert.Equal(cut, start.Length);
            Assert.Equal(bytes, AnyPacket.ReadAndWrite(Bytes.InSegments(bytes, cut), row.Version));
        }
        if (bytes.Length < 1000)
            Assert.Equal(bytes, AnyPacket.ReadAndWrite(Bytes.InSegments(bytes, [.. Enumerable.Range(1, bytes.Length - 1)]), row.Version));
    }

    [Theory]
    [InlineData(ProtocolVersion.V31)]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public void Packets_follow_each_other_in_a_stream(ProtocolVersion version)
    {
        byte[] stream = [.. PacketTable.Valid.Where(row => row.Version == version).SelectMany(row => row.Bytes)];
        Assert.Equal(stream, AnyPacket.ReadAndWrite(new ReadOnlySequence<byte>(stream), version));
    }

    [Theory, MemberData(nameof(Malformed), DisableDiscoveryEnumeration = true)]
    public void What_is_malformed_is_refused_with_the_right_reason(PacketRow row)
    {
        var bytes = new ReadOnlySequence<byte>(row.Bytes);
        var refusal = Assert.Throws<ProtocolException>(() =>
        {
            Assert.True(Frame.TryRead(ref bytes, Limit, row.Version, out var frame), "the packet is complete");
            using var writer = new PacketWriter();
            AnyPacket.Read(frame, row.Version)(writer);
        });
        Assert.Equal(row.Fault, refusal.Reason);
    }

    [Theory, MemberData(nameof(Valid), DisableDiscoveryEnumeration = true)]
    public void A_body_that_ends_too_early_is_refused_or_a_shorter_packet_but_never_read_past(PacketRow row)
    {
        var bytes = new ReadOnlySequence<byte>(row.Bytes);
        Assert.True(Frame.TryRead(ref bytes, Limit, row.Version, out var whole));
        for (var length = 0; length < Math.Min(whole.Body.Length, 500); length++)
            ReadsOrRefuses(whole with { Body = whole.Body.Slice(0, length) }, row.Version);
    }

    [Theory]
    [InlineData(ProtocolVersion.V31)]
    [InlineData(ProtocolVersion.V311)]
    public void What_older_versions_have_no_words_for_is_not_written(ProtocolVersion version)
    {
        var properties = new Properties(new Property(PropertyId.SubscriptionIdentifier, 5));
        using var writer = new PacketWriter();
        new SubscribePacket(10, [new SubscriptionRequest("a", 2, NoLocal: true, RetainAsPublished: true, RetainHandling.DoNotSend)], properties).Write(writer, version);
        new UnsubscribePacket(10, ["a"], new Properties(new Property(PropertyId.UserProperty, Text: "a", Value: "b"))).Write(writer, version);
        Assert.Equal(Bytes.Of("82 { 00 0A | 'a' 02 } | A2 { 00 0A | 'a' }"), writer.Written.ToArray());
    }

    [Fact]
    public void A_length_that_lies_is_refused_before_anything_waits_for_the_rest()
    {
        var header = new ReadOnlySequence<byte>(Bytes.Of("30 FF FF FF 7F"));
        var refusal = Assert.Throws<ProtocolException>(() => Frame.TryRead(ref header, Limit, ProtocolVersion.V5, out _));
        Assert.Equal(ReasonCode.PacketTooLarge, refusal.Reason);
    }

    [Fact]
    public void A_topic_that_comes_again_is_the_same_object()
    {
        var topics = new TopicCache();
        var buffer = new ReadOnlySequence<byte>(Bytes.Of("30 { 'a/b' | \"1\" } | 30 { 'a/b' | \"2\" } | 30 { 'a/c' }"));
        var read = new List<string>();
        while (Frame.TryRead(ref buffer, Limit, ProtocolVersion.V311, out var frame))
            read.Add(PublishPacket.Read(frame, ProtocolVersion.V311, topics).Topic);

        Assert.Equal(["a/b", "a/b", "a/c"], read);
        Assert.Same(read[0], read[1]);
    }

    // What was read and written once is written the same way for ever after.
    private static void ReadsOrRefuses(Frame frame, ProtocolVersion version)
    {
        using var writer = new PacketWriter();
        try
        {
            AnyPacket.Read(frame, version)(writer);
        }
        catch (ProtocolException)
        {
            return;
        }
        var written = writer.Written.ToArray();
        Assert.Equal(written, AnyPacket.ReadAndWrite(new ReadOnlySequence<byte>(written), version));
    }
}
