using Meanwhile.Terminal;
using Spectre.Console;

namespace Meanwhile.Tests.Terminal;

public class SafeTextTests
{
    [Theory]
    [InlineData("plant/line 1/[red]t[/]", "plant/line 1/[red]t[/]")]
    [InlineData("Fußboden/温度/температура/حرارة", "Fußboden/温度/температура/حرارة")]
    [InlineData("\e[2J\r\n\t\a", "\uFFFD[2J\uFFFD\uFFFD\uFFFD\uFFFD")]
    [InlineData("c1\u009b31m\u0085", "c1\uFFFD31m\uFFFD")]
    [InlineData("\u202Eabc\u2066\u200F", "\uFFFDabc\uFFFD\uFFFD")] // Directions of writing.
    [InlineData("a\u200Bb\u200Dc\uFEFFd\u00ADe", "a\uFFFDb\uFFFDc\uFFFDd\uFFFDe")] // No width, or not always.
    [InlineData("a\u2028b\u2029c", "a\uFFFDb\uFFFDc")]
    [InlineData("x\uE000y\U000F0000z\uFFFF", "x\uFFFDy\uFFFDz\uFFFD")]
    [InlineData("\u2764\uFE0F", "\u2764")]
    [InlineData("e\u0301\u0302\u0303\u0304", "e\u0301\u0302\uFFFD\uFFFD")] // Marks upon marks.
    [InlineData("\u0301a", "\uFFFDa")]
    public void What_would_steer_a_terminal_is_replaced(string text, string safe) => Assert.Equal(safe, SafeText.Of(text));

    [Fact]
    public void Halves_of_characters_are_replaced() => Assert.Equal("a\uFFFDb\uFFFD", SafeText.Of("a" + (char)0xD800 + "b" + (char)0xDC00));

    [Theory]
    [InlineData("temperature", 11, "temperature")]
    [InlineData("temperature", 10, "temperatu…")]
    [InlineData("温度温度", 8, "温度温度")]
    [InlineData("温度温度", 7, "温度温…")]
    [InlineData("温度温度", 6, "温度…")]
    [InlineData("🚀🚀🚀", 5, "🚀🚀…")]
    [InlineData("ab", 1, "…")]
    [InlineData("ab", 0, "")]
    [InlineData("ab", -1, "")]
    public void A_text_is_cut_to_cells(string text, int cells, string expected)
    {
        var cut = SafeText.Cut(text, cells);
        Assert.Equal(expected, cut);
        Assert.True(cut.GetCellWidth() <= Math.Max(0, cells));
    }
}
