using Meanwhile.Terminal;
using Meanwhile.Terminal.Live;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;

namespace Meanwhile.Tests.Terminal.Live;

public class LiveFrameTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LiveModel _model;

    public LiveFrameTests() => _model = new LiveModel("mqtt://broker STATS/#", _time);

    [Fact]
    public void A_page_of_80_by_10()
    {
        _model.Connect(true);
        _model.Say("subscribed to STATS/#");
        foreach (var value in new[] { 1, 2, 3, 2.5 })
            _model.Add("plant/1", [new("avg_1min", value), new("avg_5min", -1.234567e100), new("avg_30min", null)]);
        _time.Advance(TimeSpan.FromMinutes(2));
        _model.Add("plant/2", [new("avg_1min", 46)]);
        Assert.Equal(
        [
            "connected  mqtt://broker STATS/#  5 results  2 series  1 silent",
            "avg_1min       avg_5min  avg_30min            results    age  topic↑",
            "     2.5  -1.23457e+100                  ▁▅█▆       4   2min  plant/1",
            "      46                                    ▄       1     0s  plant/2",
            "", "", "",
            "1 of 2: plant/1",
            "subscribed to STATS/#",
            "q quit  ↑↓ PgUp PgDn move  / filter  s sort  r reverse",
        ], Lines(80, 10).Select(line => line.TrimEnd()));
    }

    [Fact]
    public void Whatever_comes_fits_in_any_size()
    {
        _model.Add("x\e[2J\r\n", [new("avg_1min", 1), new("\e[31m\n" + new string('n', 500), 2)]);
        _model.Add(new string('温', 20_000), [new("avg_1min", double.MinValue)]);
        _model.Add("[red]t[/] \u202Eabc 🚀👨‍👩‍👧 e\u0301\u0301\u0301\u0301", [.. Enumerable.Range(0, 100).Select(i => new StatsMember($"p{i}_1min", i))]);
        _model.Say("a log line\n" + new string('l', 500));
        foreach (var typed in new[] { "", "/e\e\u202E" })
        {
            foreach (var key in typed)
                _model.Press(new ConsoleKeyInfo(key, ConsoleKey.None, shift: false, alt: false, control: false));
            for (var width = 1; width <= 210; width += 1 + (width / 20))
            {
                for (var height = 1; height <= 64; height += 1 + (height / 5))
                {
                    var lines = Lines(width, height);
                    Assert.Equal(height, lines.Length);
                    Assert.All(lines, line => Assert.True(line.GetCellWidth() < Math.Max(2, width), $"{width}×{height}: '{line}'"));
                    Assert.All(lines, line => Assert.DoesNotContain(line, c => char.IsControl(c)));
                }
            }
        }
    }

    [Fact]
    public void Columns_without_room_are_reached_by_keys()
    {
        _model.Add("a", [.. Enumerable.Range(0, 20).Select(i => new StatsMember($"statistic_{i}", i))]);
        Assert.Contains("statistic_0", Lines(80, 24)[1], StringComparison.Ordinal);
        Assert.EndsWith("←→ columns 1 to 3 of 20", Lines(80, 24)[^1].TrimEnd(), StringComparison.Ordinal);
        for (var i = 0; i < 30; i++)
            _model.Press(new ConsoleKeyInfo('\0', ConsoleKey.RightArrow, shift: false, alt: false, control: false));
        Assert.Contains("statistic_19", Lines(80, 24)[1], StringComparison.Ordinal);
        Assert.Contains("topic", Lines(80, 24)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_say_what_colours_say()
    {
        _model.Add("a", [new("avg_1min", 1), new("avg_5min", 1)]);
        _model.Add("a", [new("avg_1min", 2), new("avg_5min", 0)]);
        Assert.Contains("2▲", Lines(80, 24)[2], StringComparison.Ordinal);
        Assert.Contains("0▼", Lines(80, 24)[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new double[] { 1, 2, 3, 4, 5, 6, 7, 8 }, 8, "▁▂▃▄▅▆▇█")]
    [InlineData(new double[] { 9, 1, 8 }, 2, "▁█")]
    [InlineData(new double[] { 5, 5 }, 8, "▄▄")]
    [InlineData(new[] { double.MinValue, 0, double.MaxValue }, 8, "▁▅█")]
    [InlineData(new double[0], 8, "")]
    public void A_curve_goes_from_the_smallest_to_the_largest(double[] values, int cells, string curve) =>
        Assert.Equal(curve, Sparkline.Draw([.. values.Select(value => (double?)value)], cells));

    [Fact]
    public void A_curve_has_a_gap_where_there_is_no_value() => Assert.Equal("▁ █", Sparkline.Draw([1, null, 2], 8));

    private string[] Lines(int width, int height)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = width;
        console.Write(new LiveFrame(_model.Page(height - LiveFrame.OtherLines), width, height));
        return text.ToString().ReplaceLineEndings("\n").Split('\n')[..^1];
    }
}
