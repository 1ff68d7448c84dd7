using System.Text;
using System.Text.Json;
using Meanwhile.Pipeline;

namespace Meanwhile.Tests.Pipeline;

public sealed class FlatObjectReaderTests
{
    [Theory]
    [InlineData("{}", "")]
    [InlineData(" { } ", "")]
    [InlineData("""{"number": 46, "epochtime": "1669940235"}""", "number=46 epochtime=1669940235")]
    [InlineData("\t{\"a\"\r:\n-0.5e-7 ,\"a\":\"\u00e9\" }\n", "a=-0.5e-7 a=\u00e9")]
    [InlineData("""{"":0}""", "=0")]
    public void Plain_members_are_read(string json, string expected) => Assert.Equal(expected, Read(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("""{"a":1,}""")]
    [InlineData("""{,"a":1}""")]
    [InlineData("""{"a":1}}""")]
    [InlineData("""{"a":1} {""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":1.}""")]
    [InlineData("""{"a":.5}""")]
    [InlineData("""{"a":1e}""")]
    [InlineData("""{"a":-}""")]
    [InlineData("""{"a":+1}""")]
    [InlineData("""{"a":1 2}""")]
    [InlineData("""{"a":null}""")]
    [InlineData("""{"a":{"b":1}}""")]
    [InlineData("""{"a":"\u0041"}""")]
    [InlineData("{\"a\":\"\n\"}")]
    [InlineData("""{'a':1}""")]
    [InlineData("""{"a" 1}""")]
    public void Everything_else_is_left_to_the_full_reader(string json) => Assert.Null(Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void It_never_reads_what_the_framework_would_read_otherwise()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var read = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var json = Encoding.UTF8.GetBytes("""{"number": -4.6e1, "b" : "x", "number": 0}""");
            for (var changes = random.Next(4); changes > 0; changes--)
                json[random.Next(json.Length)] = (byte)"{}[]\",: \\e-+.0179ab\n\0"[random.Next(21)];
            if (Read(json) is not { } members)
                continue;
            read++;
            Assert.True(members == ReadWithFramework(json), $"seed {seed}: {Encoding.UTF8.GetString(json)}");
        }
        Assert.InRange(read, 10_000, 90_000);
    }

    private static string? Read(byte[] json)
    {
        var reader = new FlatObjectReader(json);
        List<string> members = [];
        while (reader.TryRead(out var name, out var value))
            members.Add($"{Encoding.UTF8.GetString(name)}={Encoding.UTF8.GetString(json.AsSpan(value))}");
        return reader.HasGivenUp ? null : string.Join(' ', members);
    }

    private static string ReadWithFramework(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return string.Join(' ', document.RootElement.EnumerateObject().Select(m => $"{m.Name}={(m.Value.ValueKind == JsonValueKind.String ? m.Value.GetString() : m.Value.GetRawText())}"));
    }
}
