using System.Text;
using Meanwhile.Pipeline;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Pipeline;

public class ReadingParserTests
{
    private const long Arrival = 1_700_000_000_123;

    [Theory]
    [InlineData("{\"number\": 46, \"epochtime\": \"1669940235\"}", null, 46)]
    [InlineData(" 21.5\n", null, 21.5)]
    [InlineData("{\"number\": 46, \"x\": [1], \"id\": \"abc\", \"epochtime\": 1669940235}", "/id", 46)]
    public void A_byte_order_mark_before_a_payload_changes_nothing_but_the_place_of_its_identity(string payload, string? identity, double expected)
    {
        var parser = new ReadingParser(JsonPointer.Parse("/number"), JsonPointer.Parse("/epochtime"), identity is null ? null : JsonPointer.Parse(identity));
        var shape = new PayloadShape();
        for (var round = 0; round < 3; round++)
        {
            var marked = Encoding.UTF8.GetBytes("\ufeff" + payload);
            Assert.True(parser.TryParse(Encoding.UTF8.GetBytes(payload), 7, out var plain, out _, shape));
            Assert.True(parser.TryParse(marked, 7, out var found, out var reason, shape), reason);
            Assert.Equal((plain.Time, plain.Value), (found.Time, found.Value));
            Assert.Equal(expected, found.Value);
            Assert.Equal(identity is null ? "" : "abc", Encoding.UTF8.GetString(marked[found.Identity]));
        }
    }

    [Theory]
    [InlineData("\ufeff\ufeff21.5", "neither a JSON object nor a finite number")]
    [InlineData("\ufeff", "neither a JSON object nor a finite number")]
    [InlineData("2\01\0.\05\0", "this is UTF-16; convert it to UTF-8 (iconv -f UTF-16LE -t UTF-8)")]
    [InlineData("{\0\"\0n\0", "this is UTF-16; convert it to UTF-8 (iconv -f UTF-16LE -t UTF-8)")]
    [InlineData("\02\01\0.\05", "this is UTF-16; convert it to UTF-8 (iconv -f UTF-16BE -t UTF-8)")]
    public void Other_encodings_are_recognised_and_one_mark_is_enough(string payload, string expected)
    {
        Assert.False(ReadingParser.Default.TryParse(Encoding.UTF8.GetBytes(payload), 7, out _, out var reason));
        Assert.Equal(expected, reason);
    }

    [Theory]
    [InlineData("""{"number": 46, "epochtime": "1669940235"}""", 46, 1669940235000)]
    [InlineData("""{"epochtime":1669940235,"number":46}""", 46, 1669940235000)]
    [InlineData("""{"a":{"number":1},"number":"-4.5e1","b":[1,{"epochtime":2}],"epochtime":1669940235.25,"c":null}""", -45, 1669940235250)]
    [InlineData(" \n{\"number\":1e-320,\"epochtime\":0}\r\n", 1e-320, 0)]
    [InlineData("""{"number":1,"number":2,"epochtime":3}""", 2, 3000)]
    [InlineData("""{"n\u0075mber":7,"epochtime":3}""", 7, 3000)]
    [InlineData("21.5", 21.5, Arrival)]
    [InlineData(" -0.5e2\n", -50, Arrival)]
    [InlineData("+.5", 0.5, Arrival)]
    public void A_number_with_its_time_is_a_reading(string payload, double value, long time)
    {
        Assert.True(ReadingParser.Default.TryParse(Encoding.UTF8.GetBytes(payload), Arrival, out var found, out var reason), reason);
        Assert.Equal((time, value), (found.Time, found.Value));
        Assert.Null(reason);
    }

    [Theory]
    [InlineData("", "neither a JSON object nor a finite number")]
    [InlineData("xyz", "neither a JSON object nor a finite number")]
    [InlineData("NaN", "neither a JSON object nor a finite number")]
    [InlineData("-Infinity", "neither a JSON object nor a finite number")]
    [InlineData("1e400", "neither a JSON object nor a finite number")]
    [InlineData("\"46\"", "neither a JSON object nor a finite number")]
    [InlineData("{", "not valid JSON")]
    [InlineData("""{"number": 46, "epochtime": 1} x""", "not valid JSON")]
    [InlineData("""{"number": 46, "epochtime": 1}{}""", "not valid JSON")]
    [InlineData("""{"number": NaN, "epochtime": 1}""", "not valid JSON")]
    [InlineData("""{"\ud800": 1}""", "not valid JSON")]
    [InlineData("""{"number": "\ud800", "epochtime": 1}""", "/number is not a finite number")]
    [InlineData("{}", "no number at /number")]
    [InlineData("[1,2]", "no number at /number")]
    [InlineData("""{"epochtime": 1}""", "no number at /number")]
    [InlineData("""{"number": null, "epochtime": 1}""", "/number is not a finite number")]
    [InlineData("""{"number": "NaN", "epochtime": 1}""", "/number is not a finite number")]
    [InlineData("""{"number": 1e400, "epochtime": 1}""", "/number is not a finite number")]
    [InlineData("""{"number": true, "epochtime": 1}""", "/number is not a finite number")]
    [InlineData("""{"number": {"number": 1}, "epochtime": 1}""", "no number at /number")]
    [InlineData("""{"number": 1}""", "no time at /epochtime (--time names another place, --time arrival does without)")]
    [InlineData("""{"number": 1, "epochtime": "yesterday"}""", "/epochtime is neither seconds since 1970 nor an ISO 8601 time with a zone")]
    [InlineData("""{"number": 1, "epochtime": null}""", "/epochtime is neither seconds since 1970 nor an ISO 8601 time with a zone")]
    public void Anything_else_is_none_and_the_reason_says_why(string payload, string expected)
    {
        Assert.False(ReadingParser.Default.TryParse(Encoding.UTF8.GetBytes(payload), Arrival, out _, out var reason));
        Assert.Equal(expected, reason);
    }

    [Fact]
    public void A_payload_cut_at_any_byte_is_no_reading_of_its_time()
    {
        var payload = """{"number": 46, "epochtime": "1669940235", "unit": {"of": ["°C"]}}"""u8;
        for (var length = 0; length < payload.Length; length++)
            Assert.False(ReadingParser.Default.TryParse(payload[..length], Arrival, out _, out _), $"cut at byte {length}");
    }

    [Fact]
    public void Bytes_that_are_no_utf_8_are_no_reading()
    {
        byte[] payload = [.. """{"number":1,"epochtime":2,"unit":" """u8, 0xC3, 0x28, .. "\"}"u8];
        Assert.False(ReadingParser.Default.TryParse(payload, Arrival, out _, out var reason));
        Assert.Equal("not valid UTF-8", reason);
        Assert.False(ReadingParser.Default.TryParse(new byte[] { 0xFF, 0x00, 0x31 }, Arrival, out _, out _));
    }

    [Fact]
    public void A_payload_over_the_limit_is_no_reading()
    {
        var largest = Enumerable.Repeat((byte)' ', ReadingParser.LargestPayload - 1).Append((byte)'1').ToArray();
        Assert.True(ReadingParser.Default.TryParse(largest, Arrival, out _, out _));

        Assert.False(ReadingParser.Default.TryParse([.. largest, (byte)'1'], Arrival, out _, out var reason));
        Assert.Equal("larger than 262144 bytes", reason);
    }

    [Theory]
    [InlineData(70)]
    [InlineData(700)]
    [InlineData(100_000)]
    public void However_deep_what_lies_beside_a_good_number_it_is_a_reading(int depth)
    {
        var (arrays, objects) = (new string('[', depth) + new string(']', depth), string.Concat(Enumerable.Repeat("{\"a\":", depth / 10)) + "1" + new string('}', depth / 10));
        foreach (var payload in new[] { $$"""{"number": 46, "epochtime": 5, "x": {{arrays}}}""", $$"""{"x": {{arrays}}, "y": {{objects}}, "number": 46, "epochtime": 5}""" })
        {
            Assert.True(ReadingParser.Default.TryParse(Encoding.UTF8.GetBytes(payload), Arrival, out var found, out var reason), reason);
            Assert.Equal((5000, 46), (found.Time, found.Value));
        }
    }

    [Theory]
    [InlineData(70)]
    [InlineData(1000)]
    public void A_pointer_may_lead_as_deep_as_it_likes(int depth)
    {
        var parser = new ReadingParser(JsonPointer.Parse(string.Concat(Enumerable.Repeat("/a/0", depth))), time: null);
        var payload = string.Concat(Enumerable.Repeat("{\"a\":[", depth)) + "-0" + string.Concat(Enumerable.Repeat("]}", depth));
        Assert.True(parser.TryParse(Encoding.UTF8.GetBytes(payload), Arrival, out var found, out var reason), reason);
        Assert.True(found.Value == 0 && double.IsNegative(found.Value));
    }

    [Fact]
    public void Nesting_without_end_is_no_reading()
    {
        var payload = Encoding.UTF8.GetBytes("{\"number\":" + new string('[', 100_000));
        Assert.False(ReadingParser.Default.TryParse(payload, Arrival, out _, out _));
    }

    [Theory]
    [InlineData("/sensors/1/t", "/at", """{"at":5,"sensors":[{"t":1},{"t":2}]}""", 2, 5000)]
    [InlineData("/a~1b/m~0n", "/at", """{"a/b":{"m~n":3},"at":"6"}""", 3, 6000)]
    [InlineData("", "/at", "8.5", 8.5, Arrival)]
    [InlineData("/0", "/1", "[4, 9]", 4, 9000)]
    [InlineData("/t", "/t", """{"t":7}""", 7, 7000)]
    public void Pointers_read_other_shapes(string value, string time, string payload, double expected, long expectedTime)
    {
        var parser = new ReadingParser(JsonPointer.Parse(value), JsonPointer.Parse(time));
        Assert.True(parser.TryParse(Encoding.UTF8.GetBytes(payload), Arrival, out var found, out var reason), reason);
        Assert.Equal((expectedTime, expected), (found.Time, found.Value));
    }

    [Fact]
    public void The_time_of_arrival_wins_when_asked_for()
    {
        var parser = new ReadingParser(JsonPointer.Parse("/number"), time: null);
        Assert.True(parser.TryParse("""{"number":1,"epochtime":"whenever"}"""u8, Arrival, out var found, out _));
        Assert.Equal(Arrival, found.Time);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_reading()
    {
        var payload = """{"number": 46.5, "epochtime": "1669940235.125"}"""u8.ToArray();
        Parse();
        Assert.Equal(0, Allocations.Of(Parse));

        void Parse()
        {
            for (var i = 0; i < 1000; i++)
                ReadingParser.Default.TryParse(payload, Arrival, out _, out _);
        }
    }

    [Theory]
    [InlineData("""{"id":"a-1","number":1,"epochtime":5}""", "a-1")]
    [InlineData("""{"id":17,"number":1,"epochtime":5}""", "17")]
    [InlineData("""  {"number":1,"epochtime":5,"id" : "\u0041\"" } """, "\\u0041\\\"")]
    public void An_identity_is_the_bytes_between_the_quotes(string payload, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(payload);
        Assert.True(WithIdentity.TryParse(bytes, Arrival, out var found, out var reason), reason);
        Assert.Equal(expected, Encoding.UTF8.GetString(bytes[found.Identity]));
    }

    [Theory]
    [InlineData("21.5", "no identity at /id (--id)")]
    [InlineData("""{"number":1,"epochtime":5}""", "no identity at /id (--id)")]
    [InlineData("""{"id":"","number":1,"epochtime":5}""", "no identity at /id (--id)")]
    [InlineData("""{"id":null,"number":1,"epochtime":5}""", "no identity at /id (--id)")]
    [InlineData("""{"id":["a"],"number":1,"epochtime":5}""", "no identity at /id (--id)")]
    public void A_reading_without_the_identity_that_was_asked_for_is_none(string payload, string expected)
    {
        Assert.False(WithIdentity.TryParse(Encoding.UTF8.GetBytes(payload), Arrival, out _, out var reason));
        Assert.Equal(expected, reason);
    }

    [Fact]
    public void An_identity_has_a_longest_length()
    {
        Assert.True(WithIdentity.TryParse(Payload(1024), Arrival, out _, out _));
        Assert.False(WithIdentity.TryParse(Payload(1025), Arrival, out _, out var reason));
        Assert.Equal("/id is longer than 1024 bytes", reason);

        static byte[] Payload(int length) => Encoding.UTF8.GetBytes($$"""{"id":"{{new string('x', length)}}","number":1,"epochtime":5}""");
    }

    private static ReadingParser WithIdentity { get; } = new(JsonPointer.Parse("/number"), JsonPointer.Parse("/epochtime"), JsonPointer.Parse("/id"));
}
