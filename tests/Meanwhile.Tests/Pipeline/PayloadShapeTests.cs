using System.Text;
using Meanwhile.Pipeline;

namespace Meanwhile.Tests.Pipeline;

public class PayloadShapeTests
{
    private const long Arrival = 1_700_000_000_123;

    private static readonly string[] Payloads =
    [
        """{"number": 46, "epochtime": "1669940235"}""", """{"number": 7.25, "epochtime": "1669940236"}""", """ {"epochtime":1669940235,"number":"46"} """,
        """{"number":1,"number":2,"epochtime":3,"site":"north"}""", """{"number":1,"epochtime":3}""", """{"number":1,"site":"é","epochtime":"2020-01-01T00:00:00Z"}""",
    ];

    [Theory]
    [InlineData("/number", "/epochtime")]
    [InlineData("/number", null)]
    [InlineData("/epochtime", "/epochtime")]
    public void What_is_remembered_never_changes_what_is_read(string value, string? time)
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var parser = new ReadingParser(JsonPointer.Parse(value), time is null ? null : JsonPointer.Parse(time));
        var shape = new PayloadShape();
        var read = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var payload = Encoding.UTF8.GetBytes(Payloads[random.Next(Payloads.Length)]);
            for (var changes = random.Next(3); changes > 0; changes--)
                payload[random.Next(payload.Length)] = (byte)"{}[]\",: \\e-+.0179\u00e9\n\0"[random.Next(20)];
            var isReading = parser.TryParse(payload, Arrival, out var found, out var reason);

            Assert.Equal(isReading, parser.TryParse(payload, Arrival, out var foundByShape, out var reasonByShape, shape));
            Assert.True(found.Equals(foundByShape) && reason == reasonByShape, $"seed {seed}: {Encoding.UTF8.GetString(payload)}: {found}, {foundByShape}");
            read += isReading ? 1 : 0;
        }
        Assert.InRange(read, 10_000, 90_000);
    }

    [Fact]
    public void A_payload_of_the_same_shape_is_found_without_being_understood()
    {
        var shape = new PayloadShape();
        Assert.False(shape.TryFind("""{"number": 5, "epochtime": "17"}"""u8, out _, out _));
        Assert.True(ReadingParser.Default.TryParse("""{"number": 46, "epochtime": "1669940235"}"""u8, Arrival, out _, out _, shape));
        Assert.True(shape.TryFind("""{"number": 5, "epochtime": "17"}"""u8, out var value, out var time));
        Assert.Equal(("5", "17"), (Encoding.UTF8.GetString(value), Encoding.UTF8.GetString(time)));
        Assert.False(shape.TryFind("""{"number": 5, "epochtime": "17"} """u8, out _, out _));
        Assert.False(shape.TryFind("""{"nombre": 5, "epochtime": "17"}"""u8, out _, out _));
    }

    [Fact]
    public void Numbers_are_rounded_as_the_framework_rounds_them()
    {
        var random = new Random(4);
        for (var i = 0; i < 100_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 18)).Select(_ => "0123456789."[random.Next(random.Next(2) == 0 ? 11 : 10)])]);
            var expected = double.TryParse(text, out var number) ? number : (double?)null;
            Assert.Equal(expected, FiniteNumber.TryParse(Encoding.UTF8.GetBytes(text), out var found) ? found : (double?)null);
        }
    }
}
