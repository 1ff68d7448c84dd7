using System.Text;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Pipeline;
using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Tests.Trials;

/// <summary>What is written over prepared bytes is what a parser finds in them.</summary>
public class PublishTemplateTests
{
    [Theory]
    [InlineData(0, 41)]
    [InlineData(1, 41)]
    [InlineData(2, 42)]
    [InlineData(1, 54)]
    [InlineData(1, 55)]
    [InlineData(1, 56)]
    [InlineData(0, 100)]
    [InlineData(1, 20_000)]
    public void A_message_holds_the_series_the_identifier_the_number_and_the_time(int qos, int bytes)
    {
        var template = new PublishTemplate("bench/x", qos, bytes);
        template.SetTime(1_800_000_001);
        var packet = new byte[template.Length];
        template.Write(packet, 0x1234, 9_876_543, 77);

        Assert.Equal(packet.Length, PreparedPackets.CompleteLength(packet, out var headerLength));
        var topic = packet.AsSpan(headerLength + 2, AcknowledgementBuffer.TopicLength(packet, headerLength));
        Assert.Equal(PublishTemplate.TopicOf("bench/x", 9_876_543), Encoding.UTF8.GetString(topic));
        Assert.Equal(9_876_543, PublishTemplate.SeriesOf(topic));
        Assert.True(Topic.Matches(PublishTemplate.FilterOf("bench/x"), Encoding.UTF8.GetString(topic)));
        var rest = packet.AsSpan(headerLength + 2 + topic.Length);
        if (qos > 0)
            Assert.Equal((byte[])[0x12, 0x34], rest[..2].ToArray());
        var payload = rest[(qos > 0 ? 2 : 0)..].ToArray();
        Assert.Equal(bytes, payload.Length);
        Assert.True(ReadingParser.Default.TryParse(payload, 0, out var found, out var reason), reason);
        Assert.Equal((1_800_000_001_000, 77), (found.Time, found.Value));
    }

    [Fact]
    public void Series_are_shared_out_among_publishers_without_a_rest()
    {
        foreach (var (publishers, series) in new[] { (1, 1), (4, 1), (4, 10), (3, 1000), (10, 10) })
        {
            var load = new LoadOptions("t", publishers, series, Qos: 1, InFlight: 1, Bytes: 41);
            Assert.Equal(series, Enumerable.Range(0, publishers).Sum(load.SeriesOf));
        }
    }
}
