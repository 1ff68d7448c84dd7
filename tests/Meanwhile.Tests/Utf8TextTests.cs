using System.Text;

namespace Meanwhile.Tests;

/// <summary>Text from outside is what it was, or it is refused with the place; other encodings are recognised. The judge is the framework's own decoder, which replaces.</summary>
public sealed class Utf8TextTests
{
    [Theory]
    [InlineData("61FF", "line 1, column 2 (in bytes) is not UTF-8 (byte 0xFF)")]
    [InlineData("610A62FC63", "line 2, column 2 (in bytes) is not UTF-8 (byte 0xFC)")]
    [InlineData("C3A40D0AC3A4C3", "line 2, column 3 (in bytes) is not UTF-8 (byte 0xC3)")] // It ends within a character.
    [InlineData("EFBBBFFF", "line 1, column 1 (in bytes) is not UTF-8 (byte 0xFF)")]
    [InlineData("EDA080", "line 1, column 1 (in bytes) is not UTF-8 (byte 0xED)")] // A surrogate.
    [InlineData("C080", "line 1, column 1 (in bytes) is not UTF-8 (byte 0xC0)")] // A zero in two bytes.
    [InlineData("F4908080", "line 1, column 1 (in bytes) is not UTF-8 (byte 0xF4)")] // Beyond U+10FFFF.
    public void What_is_not_utf_8_is_refused_with_its_place(string hex, string expected) =>
        Assert.Equal(expected, Assert.Throws<FormatException>(() => Utf8Text.Decode(Convert.FromHexString(hex))).Message);

    [Theory]
    [InlineData("utf-16", true)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", false)]
    [InlineData("utf-32", true)]
    public void Other_encodings_are_recognised(string name, bool hasMark)
    {
        var encoding = Encoding.GetEncoding(name);
        byte[] bytes = [.. hasMark ? encoding.GetPreamble() : [], .. encoding.GetBytes("{\"topic\": \"m\u00fcsli/\u4e00\", \"number\": 1}\n")];
        Assert.StartsWith($"this is {name[..6].ToUpperInvariant()}; convert it to UTF-8 (iconv -f UTF-", Assert.Throws<FormatException>(() => Utf8Text.Decode(bytes)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("5\0")]
    [InlineData("\0")]
    [InlineData("abc\0")]
    [InlineData("a\0b")]
    [InlineData("\u00fc\ufffd\ud83d\udca7\ufeff")]
    public void Text_is_what_it_was_with_a_mark_and_without(string text)
    {
        Assert.Equal(text, Utf8Text.Decode(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(text, Utf8Text.Decode([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)]));
    }

    [Fact]
    public void Random_bytes_are_what_they_were_or_refused()
    {
        var random = new Random(14);
        var decoded = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(1, 8)];
            for (var i = 0; i < bytes.Length; i++)
                bytes[i] = (byte)"a\n\u00c3\u00a4\u00ed\u00a0\u00f0\u0080\u00ef\u00bb\u00bf\u00ff"[random.Next(12)];
            try
            {
                var text = Utf8Text.Decode(bytes);
                Assert.Equal(bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes[3..] : bytes, Encoding.UTF8.GetBytes(text));
                decoded++;
            }
            catch (FormatException)
            {
                Assert.Contains('\ufffd', Encoding.UTF8.GetString(bytes));
            }
        }
        Assert.InRange(decoded, 100, 19_900);
    }

    [Theory]
    [InlineData("plant/\ud83d\udca7", true)]
    [InlineData("plant/\ud83d", false)]
    [InlineData("\udca7\ud83d", false)]
    [InlineData("plant/\ufffd", false)]
    [InlineData("", true)]
    public void What_the_runtime_has_made_of_other_bytes_is_recognised(string text, bool isWhole) => Assert.Equal(isWhole, Utf8Text.IsWhole(text));
}
